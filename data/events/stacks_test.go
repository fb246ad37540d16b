package events

import (
	"bytes"
	"image/color"
	"image/gif"
	"image/png"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oracle makes stacks from their definition: for every cell of the result it walks
// over all events.
func oracle(s Stacks, r *Recording) []byte {
	c, h, w := s.Shape(r.Width, r.Height)
	factor, left, top := 1, 0, 0
	if s.Size > 0 {
		longest := max(r.Width, r.Height)
		for float64(longest)/float64(s.Size) >= float64(factor)+0.5 {
			factor++
		}
		left = ((r.Width+factor-1)/factor - s.Size) / 2
		top = ((r.Height+factor-1)/factor - s.Size) / 2
	}
	out := make([]byte, s.Steps*c*h*w)
	first, last := r.Events[0].Microseconds(), r.Events[len(r.Events)-1].Microseconds()
	for t := range s.Steps {
		for y := range h {
			for x := range w {
				on, off := 0, 0
				for i, e := range r.Events {
					inside := int(e.X)/factor-left == x && int(e.Y)/factor-top == y
					if s.Slice == ByTime {
						from, to := int64(t)*(last-first+1), int64(t+1)*(last-first+1)
						at := (e.Microseconds() - first) * int64(s.Steps)
						inside = inside && at >= from && at < to
					} else {
						inside = inside && i*s.Steps/len(r.Events) == t
					}
					if inside && e.P > 0 {
						on++
					} else if inside {
						off++
					}
				}
				at := (t*c*h+y)*w + x
				switch s.Kind {
				case Binary:
					out[at], out[at+h*w] = byte(min(on, 1)), byte(min(off, 1))
				case Counts:
					out[at], out[at+h*w] = byte(min(on, 255)), byte(min(off, 255))
				case Ternary:
					out[at] = byte(int8(min(max(on-off, -1), 1)))
				}
			}
		}
	}
	return out
}

func TestStacksAgainstTheirDefinition(t *testing.T) {
	r := &Recording{Events: drawn(11, 400, 13, 9, 50_000), Width: 13, Height: 9}
	for _, slice := range []Slicing{ByTime, ByCount} {
		for _, kind := range []Kind{Binary, Counts, Ternary} {
			for _, size := range []int{0, 4, 5, 8, 12, 16} {
				for _, steps := range []int{1, 3, 7} {
					s := Stacks{steps, slice, kind, size}
					c, h, w := s.Shape(r.Width, r.Height)
					dst := bytes.Repeat([]byte{7}, steps*c*h*w) // what was there does not matter
					require.NoError(t, s.Make(dst, r))
					require.Equal(t, oracle(s, r), dst, "%+v", s)
				}
			}
		}
	}
}

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		width, height, size int
		want                window
	}{
		{34, 34, 32, window{1, 1, 1}}, {128, 128, 64, window{2, 0, 0}}, {128, 128, 32, window{4, 0, 0}}, {28, 28, 32, window{1, -2, -2}},
		{240, 180, 64, window{4, -2, -9}}, {346, 260, 0, window{1, 0, 0}},
	} {
		assert.Equal(t, c.want, Stacks{Size: c.size}.window(c.width, c.height), "%+v", c)
	}
}

// With as many events as steps each has one, however they lie in time; and the
// last event belongs to the last step, not behind it.
func TestSlices(t *testing.T) {
	r := &Recording{Events: []Event{At(0, 0, 0, false), At(1, 0, 0, false), At(2, 0, 0, false), At(1000, 1, 0, false)}, Width: 2, Height: 1}
	count := make([]byte, 4*2*2)
	require.NoError(t, Stacks{Steps: 4, Slice: ByCount}.Make(count, r))
	assert.Equal(t, []byte{0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1}, count)
	time := make([]byte, 4*2*2)
	require.NoError(t, Stacks{Steps: 4}.Make(time, r))
	assert.Equal(t, []byte{0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, time)
}

func TestCountsStopAt255(t *testing.T) {
	r := &Recording{Events: slices.Repeat([]Event{At(0, 0, 0, false)}, 1000), Width: 1, Height: 1}
	dst := make([]byte, 2)
	require.NoError(t, Stacks{Steps: 1, Kind: Counts}.Make(dst, r))
	assert.Equal(t, []byte{0, 255}, dst)
}

func TestLevels(t *testing.T) {
	assert.Equal(t, []float32{0, 1, 1}, []float32{Binary.Levels()[0], Binary.Levels()[1], Binary.Levels()[255]})
	assert.Equal(t, []float32{0, 17, 255}, []float32{Counts.Levels()[0], Counts.Levels()[17], Counts.Levels()[255]})
	assert.Equal(t, []float32{0, 1, -1}, []float32{Ternary.Levels()[0], Ternary.Levels()[1], Ternary.Levels()[255]})
}

func TestStacksRefuse(t *testing.T) {
	for _, s := range []Stacks{{}, {Steps: 1 << 20}, {Steps: 1, Slice: "x"}, {Steps: 1, Kind: "x"}, {Steps: 1, Size: -1}} {
		assert.Error(t, s.Validate(), "%+v", s)
		assert.Error(t, s.Make(nil, &Recording{Width: 1, Height: 1}), "%+v", s)
	}
	assert.ErrorContains(t, Stacks{Steps: 2}.Make(make([]byte, 3), &Recording{Width: 1, Height: 1}), "3 bytes")
}

func TestPictures(t *testing.T) {
	s := Stacks{Steps: 2}
	// Step 0: ON at 0, both at 1; step 1: OFF at 0.
	frames, err := s.Pictures([]byte{1, 1, 0, 1, 0, 0, 1, 0}, 2, 1, 3)
	require.NoError(t, err)
	require.Len(t, frames, 2)
	green, red, yellow, black := color.RGBA{G: 255, A: 255}, color.RGBA{R: 255, A: 255}, color.RGBA{R: 255, G: 255, A: 255}, color.RGBA{A: 255}
	assert.Equal(t, []color.Color{green, green, yellow}, []color.Color{frames[0].At(0, 0), frames[0].At(2, 2), frames[0].At(3, 0)})
	assert.Equal(t, []color.Color{red, black}, []color.Color{frames[1].At(0, 0), frames[1].At(5, 2)})

	var b bytes.Buffer
	require.NoError(t, WritePNG(&b, frames, 8))
	m, err := png.Decode(&b)
	require.NoError(t, err)
	assert.Equal(t, 14, m.Bounds().Dx())
	assert.Equal(t, color.Color(red), color.RGBAModel.Convert(m.At(8, 0)))
	b.Reset()
	require.NoError(t, WriteGIF(&b, frames, 5))
	g, err := gif.DecodeAll(&b)
	require.NoError(t, err)
	assert.Len(t, g.Image, 2)

	ternary, err := Stacks{Steps: 1, Kind: Ternary}.Pictures([]byte{1, 255, 0}, 3, 1, 1)
	require.NoError(t, err)
	assert.Equal(t, []color.Color{green, red, black}, []color.Color{ternary[0].At(0, 0), ternary[0].At(1, 0), ternary[0].At(2, 0)})
	counts, err := Stacks{Steps: 1, Kind: Counts}.Pictures([]byte{1, 200, 0, 0}, 2, 1, 1)
	require.NoError(t, err)
	assert.Equal(t, color.Color(green), counts[0].At(1, 0))
	assert.NotEqual(t, color.Color(green), counts[0].At(0, 0), "fewer events are darker")
	assert.NotEqual(t, color.Color(black), counts[0].At(0, 0))
	_, err = s.Pictures(nil, 2, 1, 1)
	assert.Error(t, err)
	assert.Error(t, WritePNG(&b, nil, 1))
}
