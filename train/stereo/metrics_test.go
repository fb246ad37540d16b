package stereo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

// A frame of four valid pixels and one without truth, worked out by hand with
// f*B = 20: depths 2, 4, 5, 10 m against 2, 5, 4, 20 m.
func TestMetricsByHand(t *testing.T) {
	inf := float32(math.Inf(1))
	m := Meter{FocalBaseline: 20}
	require.NoError(t, m.Add([]float32{10, 5, 4, 2, 7}, []float32{10, 4, 5, 1, inf}))
	r := m.Result()
	assert.InDelta(t, 0.75, r.MeanDisparityError, 1e-9)
	assert.EqualValues(t, 100, r.OnePixelAccuracy, "exactly 1 px is no error")
	assert.InDelta(t, 100*12.0/4, r.MeanDepthError, 1e-3, "0, 1, 1 and 10 m")
	assert.InDelta(t, 100, r.MedianDepthError, 1e-3, "the lower of the two middle ones")
	assert.EqualValues(t, 4, r.Pixels)

	// A second frame: one of two pixels is off by more than 1 px. Frames count alike.
	require.NoError(t, m.Add([]float32{10, 2.001}, []float32{10, 1}))
	r = m.Result()
	assert.InDelta(t, (0.75+0.5005)/2, r.MeanDisparityError, 1e-6)
	assert.InDelta(t, 75, r.OnePixelAccuracy, 1e-9)

	// A frame without truth counts as a frame of zeros.
	require.NoError(t, m.Add([]float32{1}, []float32{inf}))
	assert.InDelta(t, 100-50.0/3, m.Result().OnePixelAccuracy, 1e-9)
	assert.Equal(t, 3, m.Result().Frames)
}

func TestNearZeroPredictions(t *testing.T) {
	const focalBaseline = 19.941772 // of MVSEC's indoor_flying, in px m
	m := Meter{FocalBaseline: focalBaseline}
	require.NoError(t, m.Add([]float32{0, 10}, []float32{10, 10}))
	assert.EqualValues(t, 1, m.Result().NearZero)
	assert.Greater(t, m.Result().MeanDepthError, 1e9, "the published protocol does not clamp")
	m = Meter{FocalBaseline: focalBaseline, ClampAt: 1}
	require.NoError(t, m.Add([]float32{0, 10}, []float32{10, 10}))
	assert.InDelta(t, 100*focalBaseline*0.9/2, m.Result().MeanDepthError, 1e-2)
}

func TestMeterRefuses(t *testing.T) {
	m := Meter{FocalBaseline: 1}
	assert.ErrorIs(t, m.Add([]float32{1}, nil), ErrFrame)
	assert.ErrorIs(t, m.Add([]float32{float32(math.NaN())}, []float32{1}), ErrFrame)
	assert.ErrorIs(t, (&Meter{}).Add([]float32{1}, []float32{1}), ErrFrame)
	assert.Zero(t, m.Result().Frames)
}

func TestMain(m *testing.M) { torchtest.Main(m) }

// laplace is the normalised target over bins, by its definition.
func laplace(d, b float64, bins int) []float64 {
	q := make([]float64, bins)
	sum := 0.0
	for j := range q {
		q[j] = math.Exp(-math.Abs(2*float64(j)-d)/b) / (2 * b)
		sum += q[j]
	}
	for j := range q {
		q[j] /= sum
	}
	return q
}

// lossOf is the loss, which both forms agree on.
func lossOf(t *testing.T, cost, truth []float32, bins int64, b float64) float64 {
	t.Helper()
	s := torch.NewScope()
	defer s.Close()
	n := int64(len(truth))
	c, d := torch.FromSlice(s, cost, 1, bins, 1, n), torch.FromSlice(s, truth, 1, 1, n)
	value := s.Item(Loss(s, c, d, b))
	q, valid := target(s, c, d, b)
	assert.InDelta(t, value, s.Item(lossByBin(s, c, q, valid)), 1e-5)
	require.NoError(t, s.Err())
	return value
}

// The least loss over the disparities of MVSEC's rig, 4 to 28 px, which is the
// entropy of the target, and that of a uniform cost.
func TestLossFloors(t *testing.T) {
	const bins, pixels = 32, 4800
	for b, want := range map[float64]float64{1: 1.020, 2: 1.678} {
		cost := make([]float32, bins*pixels)
		truth := make([]float32, pixels)
		entropy := 0.0
		for i := range truth {
			truth[i] = float32(4 + 24*(float64(i)+0.5)/pixels)
			for j, q := range laplace(float64(truth[i]), b, bins) {
				cost[j*pixels+i] = float32(math.Log(q))
				entropy -= q * math.Log(q) / pixels
			}
		}
		have := lossOf(t, cost, truth, bins, b)
		assert.InDelta(t, want, have, 2.5e-3, "b = %v", b)
		assert.InDelta(t, entropy, have, 1e-5)
		assert.InDelta(t, math.Log(32), lossOf(t, make([]float32, bins*pixels), truth, bins, b), 1e-5)
	}
}

func TestLossAgainstDefinition(t *testing.T) {
	const bins = 5
	inf := float32(math.Inf(1))
	truth := []float32{0, 3.3, inf, 9.5, float32(math.NaN()), 25}
	n := len(truth)
	cost := make([]float32, bins*n)
	for i := range cost {
		cost[i] = float32(math.Sin(float64(3*i))) * 2
	}
	want, count := 0.0, 0.0
	for i, d := range truth {
		if math.IsInf(float64(d), 0) || math.IsNaN(float64(d)) {
			continue
		}
		sum := 0.0
		for j := range bins {
			sum += math.Exp(float64(cost[j*n+i]))
		}
		for j, q := range laplace(float64(d), 1.5, bins) {
			want -= q * (float64(cost[j*n+i]) - math.Log(sum))
		}
		count++
	}
	assert.InDelta(t, want/count, lossOf(t, cost, truth, bins, 1.5), 1e-5)
	assert.Zero(t, lossOf(t, cost, []float32{inf, inf, inf, inf, inf, inf}, bins, 1), "no pixel is valid")
}

// The gradient is softmax(C) - q, divided by the number of valid pixels, and 0
// where there is no truth.
func TestLossGradient(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	cost := torch.FromSlice(s, []float32{1, 0, -1, 2, 0.5, 0}, 1, 3, 1, 2)
	require.NoError(t, torch.RequireGradient(cost, true))
	truth := torch.FromSlice(s, []float32{2.5, float32(math.Inf(1))}, 1, 1, 2)
	target, valid := target(s, cost, truth, 1)
	q := laplace(2.5, 1, 3)
	c := []float64{1, -1, 0.5}
	sum := math.Exp(c[0]) + math.Exp(c[1]) + math.Exp(c[2])
	for _, loss := range []torch.Tensor{Loss(s, cost, truth, 1), lossByBin(s, cost, target, valid)} {
		have, err := torch.ToSlice[float32](s.GradientOf(loss, []torch.Tensor{cost})[0])
		require.NoError(t, err)
		for j := range 3 {
			assert.InDelta(t, math.Exp(c[j])/sum-q[j], have[2*j], 1e-6)
			assert.Zero(t, have[2*j+1])
		}
	}
}

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
