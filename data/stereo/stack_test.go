package stereo

import (
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStack(t *testing.T) {
	const end = 10.0
	events := []Event{
		{T: end - 0.001, X: 0, Y: 0, P: 1}, // newest bin
		{T: end - 0.012, X: 1, Y: 0, P: -1},
		{T: end - 0.049, X: 2, Y: 1, P: 1}, // oldest bin, three of which two cancel
		{T: end - 0.048, X: 2, Y: 1, P: 1},
		{T: end - 0.047, X: 2, Y: 1, P: -1},
		{T: end - 0.025, X: 0, Y: 1, P: 1}, // cancel
		{T: end - 0.024, X: 0, Y: 1, P: -1},
		{T: end - 0.06, X: 0, Y: 0, P: 1}, // before the window
		{T: end + 0.001, X: 0, Y: 0, P: 1},
	}
	got := make([]int8, 5*2*3)
	assert.Equal(t, 2, Binning{}.Stack(got, events, end, 3, 2))
	want := make([]int8, len(got))
	at := func(c, y, x int) *int8 { return &want[(c*2+y)*3+x] }
	*at(4, 0, 0) = 1
	*at(3, 0, 1) = -1
	*at(0, 1, 2) = 1
	assert.Equal(t, want, got)
}

func TestStackEdges(t *testing.T) {
	b, err := Binning{}.withDefaults()
	require.NoError(t, err)
	end := 1504645177.42 + 0.05
	for _, c := range []struct {
		t    float64
		bin  int
		want bool
	}{
		{math.Nextafter(end, 0), 0, true},
		{end + 5e-7, 0, true}, // the timestamp was cut to six decimals
		{math.Nextafter(end-0.05, end), 4, true},
		{end - 0.0501, 0, false},
		{end + 0.0001, 0, false},
		{end - 0.0151, 1, true},
	} {
		bin, ok := b.bin(c.t, end)
		assert.Equal(t, c.want, ok, "%v", c)
		assert.Equal(t, c.bin, bin, "%v", c)
	}
	_, err = Binning{Bins: -1}.withDefaults()
	assert.ErrorContains(t, err, "choose 1 to 100 bins")
}

func TestPackRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, channels := range []int{1, 4, 5, 7, 10} {
		const w, h = 7, 6
		stack := make([]int8, channels*w*h)
		for i := range stack {
			stack[i] = int8(rng.IntN(3) - 1)
		}
		packed := pack(stack, channels, w*h)
		require.True(t, validPacked(packed))
		got := make([]int8, len(stack))
		unpack(got, packed, channels, w, h, crop{0, 0, w, h})
		assert.Equal(t, stack, got)
		part := crop{2, 1, 4, 3}
		cut := make([]float32, channels*part.width*part.height)
		unpack(cut, packed, channels, w, h, part)
		for c := range channels {
			for y := range part.height {
				for x := range part.width {
					require.EqualValues(t, stack[(c*h+part.y+y)*w+part.x+x], cut[(c*part.height+y)*part.width+x])
				}
			}
		}
	}
}

func TestQuantize(t *testing.T) {
	fb := MVSECRig.FB()
	assert.InDelta(t, 19.941772, fb, 1e-6)
	assert.EqualValues(t, Invalid, Quantize(float32(math.NaN()), fb))
	assert.EqualValues(t, Invalid, Quantize(float32(math.Inf(1)), fb))
	assert.EqualValues(t, Invalid, Quantize(0, fb))
	assert.EqualValues(t, Invalid, Quantize(-1, fb))
	assert.EqualValues(t, 254, Quantize(0.5496, fb))
	assert.EqualValues(t, Invalid, Quantize(0.54, fb))
	assert.EqualValues(t, 0, Quantize(28, 2)) // 0.5 to even
	assert.EqualValues(t, 2, Quantize(28, 6)) // 1.5 to even
	assert.EqualValues(t, 28, QuantizeDisparity(4))
	assert.EqualValues(t, Invalid, QuantizeDisparity(math.Inf(1)))
	assert.EqualValues(t, Invalid, QuantizeDisparity(math.NaN()))
	d := Disparities([]uint8{0, 7, 10, 254, 255})
	assert.Equal(t, []float32{0, 1, float32(10.0 / 7), float32(254.0 / 7)}, d[:4])
	assert.True(t, math.IsInf(float64(d[4]), 1))
}

func TestErrorPicture(t *testing.T) {
	inf := float32(math.Inf(1))
	p := ErrorPicture([]float32{5, 5.5, 4, 9, 2, 5.25}, []float32{5, 5, 5, 5, inf, 5}, 2, 3)
	assert.Equal(t, color.RGBA{255, 255, 255, 255}, p.RGBAAt(0, 0), "right")
	assert.Equal(t, color.RGBA{255, 225, 90, 255}, p.RGBAAt(1, 0), "half a pixel")
	assert.Equal(t, color.RGBA{220, 40, 30, 255}, p.RGBAAt(2, 0), "one pixel")
	assert.Equal(t, color.RGBA{0, 0, 0, 255}, p.RGBAAt(0, 1), "far off")
	assert.Equal(t, color.RGBA{150, 150, 150, 255}, p.RGBAAt(1, 1), "no truth")
	assert.Equal(t, color.RGBA{255, 240, 173, 255}, p.RGBAAt(2, 1), "between")
}

func TestOverlay(t *testing.T) {
	base := DisparityPicture([]float32{1, 2, 3}, 1, 3, 3)
	p := Overlay(base, []float32{1, 0, -1, 1, 0, 0}, 2)
	assert.Equal(t, color.RGBA{255, 255, 255, 255}, p.RGBAAt(0, 0))
	assert.Equal(t, base.RGBAAt(1, 0), p.RGBAAt(1, 0), "no event")
	assert.Equal(t, color.RGBA{0, 0, 0, 255}, p.RGBAAt(2, 0))
	assert.NotEqual(t, color.RGBA{255, 255, 255, 255}, base.RGBAAt(0, 0), "the picture below is not changed")
}
