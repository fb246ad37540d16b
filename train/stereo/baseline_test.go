package stereo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dots draws a view of random events, [c, h, w] in {-1, 0, 1}, and the view of a
// camera for which everything lies d pixels further left.
func dots(c, h, w, d int) (left, right []float32) {
	rng := rand.New(rand.NewPCG(1, 2))
	left, right = make([]float32, c*h*w), make([]float32, c*h*w)
	for i := range left {
		left[i] = float32(rng.IntN(3) - 1)
	}
	for k := range c * h {
		for x := range w - d {
			right[k*w+x] = left[k*w+x+d]
		}
	}
	return left, right
}

func TestBlockMatchingFindsAShift(t *testing.T) {
	const c, h, w, d = 2, 20, 40, 6
	left, right := dots(c, h, w, d)
	found, err := BlockMatching{MaxDisparity: 12}.Match(left, right, c, h, w)
	require.NoError(t, err)
	for y := range h {
		for x := d + 5; x < w; x++ { // the whole window has a partner
			assert.InDelta(t, d, found[y*w+x], 0.5, "%d, %d", x, y)
		}
	}
	other, err := BlockMatching{MaxDisparity: 5}.Match(left, right, c, h, w)
	require.NoError(t, err)
	for _, v := range other {
		assert.LessOrEqual(t, v, float32(5.5))
	}
}

// Against the definition, written out window by window.
func TestBlockMatchingAgainstDefinition(t *testing.T) {
	const c, h, w, most, window = 3, 7, 11, 4, 3
	rng := rand.New(rand.NewPCG(3, 4))
	left, right := make([]float32, c*h*w), make([]float32, c*h*w)
	for i := range left {
		left[i], right[i] = float32(rng.IntN(3)-1), float32(rng.IntN(3)-1)
	}
	sum := func(stack []float32, x, y int) (s float64) {
		for k := range c {
			s += float64(stack[(k*h+y)*w+x])
		}
		return s
	}
	cost := func(x, y, d int) float64 {
		if d < 0 || d > most || x < d {
			return math.Inf(1)
		}
		total, n := 0.0, 0.0
		for v := y - window/2; v <= y+window/2; v++ {
			for u := x - window/2; u <= x+window/2; u++ {
				if v >= 0 && v < h && u >= d && u < w {
					total += math.Abs(sum(left, u, v) - sum(right, u-d, v))
					n++
				}
			}
		}
		return total / n
	}
	found, err := BlockMatching{MaxDisparity: most, Window: window}.Match(left, right, c, h, w)
	require.NoError(t, err)
	for y := range h {
		for x := range w {
			best := 0
			for d := 1; d <= most; d++ {
				if cost(x, y, d) < cost(x, y, best)-1e-9 {
					best = d
				}
			}
			want := float64(best)
			if a, b, e := cost(x, y, best-1), cost(x, y, best), cost(x, y, best+1); !math.IsInf(a, 1) && !math.IsInf(e, 1) && a-2*b+e > 1e-9 {
				want += (a - e) / (2 * (a - 2*b + e))
			}
			assert.InDelta(t, want, found[y*w+x], 1e-5, "%d, %d", x, y)
		}
	}
}

func TestBlockMatchingRefuses(t *testing.T) {
	for _, b := range []BlockMatching{{MaxDisparity: 0}, {MaxDisparity: 3, Window: 4}, {MaxDisparity: 3, Window: -1}} {
		_, err := b.Match(make([]float32, 4), make([]float32, 4), 1, 2, 2)
		assert.ErrorIs(t, err, ErrFrame)
	}
	_, err := BlockMatching{MaxDisparity: 3}.Match(make([]float32, 4), make([]float32, 3), 1, 2, 2)
	assert.ErrorIs(t, err, ErrFrame)
}

func TestConstantIsTheMedian(t *testing.T) {
	var c Constant
	assert.Zero(t, c.Disparity())
	inf := float32(math.Inf(1))
	c.Add([]float32{3, inf, 1, 9})
	assert.EqualValues(t, 3, c.Disparity())
	c.Add([]float32{9, 9, float32(math.NaN())})
	assert.EqualValues(t, 9, c.Disparity(), "1, 3, 9, 9, 9")
	c.Add([]float32{2})
	assert.EqualValues(t, 3, c.Disparity(), "the lower of the two in the middle: 1, 2, 3, 9, 9, 9")
}
