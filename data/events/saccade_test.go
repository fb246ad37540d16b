package events

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func record(t *testing.T, s Saccade, pixels []byte, h, w int) []Event {
	t.Helper()
	list, err := s.Record(pixels, h, w)
	require.NoError(t, err)
	assert.True(t, slices.IsSortedFunc(list, func(a, b Event) int { return cmp.Compare(a.T, b.T) }))
	return list
}

// What does not move, and what is dark everywhere, gives no events.
func TestStillImagesGiveNoEvents(t *testing.T) {
	s := NMNISTSaccade()
	assert.Empty(t, record(t, s, make([]byte, 28*28), 28, 28), "dark")
	s.Corners = [][2]float64{{1, 2}, {1, 2}, {1, 2}}
	assert.Empty(t, record(t, s, noise(1, 28*28), 28, 28), "not moving")
}

// An even image that fills more than the sensor shows no edge.
func TestEvenImagesGiveNoEvents(t *testing.T) {
	s := NMNISTSaccade()
	pixels := make([]byte, 60*60)
	for i := range pixels {
		pixels[i] = 200
	}
	assert.Empty(t, record(t, s, pixels, 60, 60))
}

// The image ends where it began, so each pixel rises as often as it falls.
func TestClosedPathsBalance(t *testing.T) {
	s := NMNISTSaccade()
	list := record(t, s, noise(2, 28*28), 28, 28)
	require.Greater(t, len(list), 1000)
	net := map[[2]uint16]int{}
	for _, e := range list {
		if e.P > 0 {
			net[[2]uint16{e.X, e.Y}]++
		} else {
			net[[2]uint16{e.X, e.Y}]--
		}
		assert.True(t, e.Microseconds() >= 0 && e.Microseconds() <= 300_000 && int(e.X) < s.Side && int(e.Y) < s.Side)
	}
	for place, n := range net {
		assert.Zero(t, n, "pixel %v", place)
	}
}

// ramp is an image that is brighter to the right.
func ramp(h, w int) []byte {
	pixels := make([]byte, h*w)
	for i := range pixels {
		pixels[i] = byte(i % w * 255 / (w - 1))
	}
	return pixels
}

// A ramp that is brighter to the right and moves left brightens every pixel; moving
// right it darkens them. On the way the logarithm moves one way only, so that the
// number of events is that of the thresholds it crosses, and their times are where
// it does.
func TestRampAgainstTheFormula(t *testing.T) {
	for _, direction := range []float64{-1, 1} {
		s := Saccade{
			Side: 12, Corners: [][2]float64{{0, 0}, {4 * direction, 0}}, Microseconds: 10_000, Samples: 1000, Threshold: 0.02, Floor: 0.2,
		}
		const w = 41
		byPixel := map[int][]Event{}
		for _, e := range record(t, s, ramp(41, w), 41, w) {
			if e.Microseconds() <= s.Microseconds { // the way there, not back
				byPixel[int(e.X)] = append(byPixel[int(e.X)], e)
			}
		}
		bright := func(x, shift float64) float64 {
			place := x - (12-w)/2.0 - shift
			left := math.Floor(place)
			level := func(column float64) float64 { return float64(int(column)*255/(w-1)) / 255 }
			return math.Log((1-place+left)*level(left) + (place-left)*level(left+1) + s.Floor)
		}
		for x := range 12 {
			rows := map[uint16][]Event{}
			for _, e := range byPixel[x] {
				rows[e.Y] = append(rows[e.Y], e)
			}
			begin, end := bright(float64(x), 0), bright(float64(x), 4*direction)
			crossed := int(math.Abs(end-begin) / s.Threshold)
			require.Len(t, rows, 12)
			for _, list := range rows {
				// The last crossing may be where the way back begins.
				require.InDelta(t, crossed, len(list), 1)
				for k, e := range list[:min(crossed, len(list))] {
					require.Equal(t, direction < 0, e.P > 0)
					at := bright(float64(x), 4*direction*float64(e.Microseconds())/10_000)
					require.InDelta(t, float64(k+1)*s.Threshold, math.Abs(at-begin), 2e-4, "event %d of column %d", k, x)
				}
			}
		}
	}
}

// The way back gives the events of the way there with the other polarity, in the
// opposite order, but for the memory of one threshold.
func TestPolarityTurnsWithTheDirection(t *testing.T) {
	s := Saccade{Side: 20, Corners: [][2]float64{{0, 0}, {3, 1}}, Microseconds: 50_000, Samples: 100, Threshold: 0.011, Floor: 0.1}
	there := [2]int{}
	back := [2]int{}
	for _, e := range record(t, s, ramp(60, 60), 60, 60) {
		k := 0
		if e.P > 0 {
			k = 1
		}
		if e.Microseconds() < s.Microseconds {
			there[k]++
		} else {
			back[k]++
		}
	}
	assert.Equal(t, 0, there[1])
	assert.Equal(t, 0, back[0])
	assert.Equal(t, there[0], back[1])
	assert.Positive(t, there[0])
}

// A higher threshold gives fewer events; one that nothing reaches gives none.
func TestThreshold(t *testing.T) {
	s := NMNISTSaccade()
	last := math.MaxInt
	for _, threshold := range []float64{0.1, 0.25, 0.5, 1, 10} {
		s.Threshold = threshold
		n := len(record(t, s, noise(4, 28*28), 28, 28))
		assert.Less(t, n, last)
		last = n
	}
	assert.Zero(t, last)
}

func TestSaccadesFitIntoTheFormat(t *testing.T) {
	list := record(t, NMNISTSaccade(), noise(5, 28*28), 28, 28)
	content, err := EncodeAER(list)
	require.NoError(t, err)
	r, err := Decode("x.bin", content, Options{Width: 34, Height: 34})
	require.NoError(t, err)
	assert.Equal(t, Problems{}, r.Problems)
	assert.Equal(t, len(list), len(r.Events))
}

func TestSaccadeRefuses(t *testing.T) {
	s := NMNISTSaccade()
	_, err := s.Record(make([]byte, 5), 2, 2)
	assert.Error(t, err)
	for _, change := range []func(*Saccade){
		func(s *Saccade) { s.Side = 0 }, func(s *Saccade) { s.Corners = nil }, func(s *Saccade) { s.Samples = 0 },
		func(s *Saccade) { s.Threshold = 0 }, func(s *Saccade) { s.Floor = math.NaN() }, func(s *Saccade) { s.Microseconds = 5 },
	} {
		s := NMNISTSaccade()
		change(&s)
		_, err := s.Record(make([]byte, 4), 2, 2)
		assert.Error(t, err)
	}
}
