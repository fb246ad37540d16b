package synth

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/stereo"
)

func newTestCamera(t *testing.T, m Model, first []float64) *Camera {
	t.Helper()
	c, err := NewCamera(m, len(first), first, 1)
	require.NoError(t, err)
	return c
}

// wander is a random picture of n pixels over time.
func wander(rng *rand.Rand, n, steps int) [][]float64 {
	pictures := make([][]float64, steps)
	now := make([]float64, n)
	for k := range pictures {
		for i := range now {
			now[i] += rng.NormFloat64() * 0.4
		}
		pictures[k] = slices.Clone(now)
	}
	return pictures
}

func TestLevelStaysWithinThreshold(t *testing.T) {
	const threshold = 0.25
	pictures := wander(rand.New(rand.NewPCG(1, 1)), 50, 200)
	c := newTestCamera(t, Model{Threshold: threshold}, pictures[0])
	sum := make([]int, 50)
	var last float64
	events := 0
	for k := 1; k < len(pictures); k++ {
		for _, e := range c.Step(nil, float64(k-1), float64(k), pictures[k]) {
			sum[e.X] += int(e.P)
			require.GreaterOrEqual(t, e.T, last)
			require.LessOrEqual(t, e.T, float64(k))
			last = e.T
			events++
		}
		for i, l := range pictures[k] {
			require.Less(t, math.Abs(l-c.Level(i)), threshold)
			// Exactly: no rounding error collects.
			require.Equal(t, pictures[0][i]+threshold*float64(sum[i]), c.Level(i))
		}
	}
	assert.Greater(t, events, 5000)
}

func TestEventTimes(t *testing.T) {
	c := newTestCamera(t, Model{Threshold: 0.25}, []float64{0, 0})
	// 0 to 0.6 in 10 s crosses 0.25 and 0.5, exactly the end belongs to the step.
	events := c.Step(nil, 0, 10, []float64{0.6, -0.25})
	require.Len(t, events, 3)
	assert.InDelta(t, 0.25/0.6*10, events[0].T, 1e-12)
	assert.InDelta(t, 0.5/0.6*10, events[1].T, 1e-12)
	assert.Equal(t, stereo.Event{T: 10, X: 1, P: -1}, events[2])
	// Back: levels 0.25 and 0 are a threshold below 0.5, the next is -0.25.
	events = c.Step(nil, 10, 20, []float64{0.01, -0.25})
	require.Len(t, events, 1)
	assert.Equal(t, int8(-1), events[0].P)
	assert.InDelta(t, 10+10*(0.6-0.25)/0.59, events[0].T, 1e-12)
}

func TestStaticSceneIsSilent(t *testing.T) {
	picture := wander(rand.New(rand.NewPCG(2, 1)), 50, 2)[1]
	c := newTestCamera(t, Model{Threshold: 0.1, Sigma: 0.05}, picture)
	for k := range 100 {
		assert.Empty(t, c.Step(nil, float64(k), float64(k+1), picture))
	}
	for i := range picture {
		picture[i] += 1e-7
	}
	assert.Empty(t, c.Step(nil, 100, 101, picture))
}

func TestReversedBrightnessFlipsPolarity(t *testing.T) {
	pictures := wander(rand.New(rand.NewPCG(3, 1)), 20, 100)
	a := newTestCamera(t, Model{Threshold: 0.2, Sigma: 0.02}, pictures[0])
	negative := func(p []float64) (n []float64) {
		for _, v := range p {
			n = append(n, -v)
		}
		return n
	}
	b := newTestCamera(t, Model{Threshold: 0.2, Sigma: 0.02}, negative(pictures[0]))
	for k := 1; k < len(pictures); k++ {
		want := a.Step(nil, float64(k-1), float64(k), pictures[k])
		got := b.Step(nil, float64(k-1), float64(k), negative(pictures[k]))
		for i := range got {
			got[i].P = -got[i].P
		}
		require.Equal(t, want, got)
	}
}

// TestStepErrorIsSecondOrder samples a curve at h, h/2, h/4: the times of events must
// come closer to the true ones by four each time.
func TestStepErrorIsSecondOrder(t *testing.T) {
	curve := func(t float64) float64 { return 2*t + 0.3*math.Sin(3*t) } // rises
	worst := func(h float64) float64 {
		c := newTestCamera(t, Model{Threshold: 0.1}, []float64{curve(0)})
		var events []stereo.Event
		for k := range int(math.Round(2 / h)) {
			events = c.Step(events, float64(k)*h, float64(k+1)*h, []float64{curve(float64(k+1) * h)})
		}
		require.Len(t, events, int(curve(2)/0.1))
		var worst float64
		for k, e := range events {
			low, high := 0.0, 2.0 // bisection for the true time
			for range 60 {
				if mid := (low + high) / 2; curve(mid) < 0.1*float64(k+1) {
					low = mid
				} else {
					high = mid
				}
			}
			worst = max(worst, math.Abs(e.T-low))
		}
		return worst
	}
	a, b, c := worst(0.1), worst(0.05), worst(0.025)
	assert.InDelta(t, 4, a/b, 1)
	assert.InDelta(t, 4, b/c, 1)
}

func TestRefractory(t *testing.T) {
	free := newTestCamera(t, Model{Threshold: 0.1}, []float64{0})
	all := free.Step(nil, 0, 1, []float64{1.05})
	c := newTestCamera(t, Model{Threshold: 0.1, Refractory: 0.25}, []float64{0})
	events := c.Step(nil, 0, 1, []float64{1.05})
	require.Len(t, all, 10)
	require.Len(t, events, 4) // every third of 0.095, 0.19, ...
	for i, e := range events {
		assert.Equal(t, all[3*i], e)
	}
	assert.Equal(t, free.Level(0), c.Level(0), "the level goes on")
}

func TestThresholdNoise(t *testing.T) {
	const n, sigma, mean = 20000, 0.03, 0.25
	for _, fixed := range []bool{false, true} {
		c := newTestCamera(t, Model{Threshold: mean, Sigma: sigma, FixedPattern: fixed}, make([]float64, n))
		var sum, squares, product float64
		first := make([]float64, n)
		for i := range n {
			v := c.threshold(i) - mean
			first[i] = v
			sum += v
			squares += v * v
		}
		assert.InDelta(t, 0, sum/n, 4*sigma/math.Sqrt(n))
		assert.InDelta(t, sigma, math.Sqrt(squares/n), 0.03*sigma)
		c.Step(nil, 0, 1, make([]float64, n))
		for i := range n {
			product += first[i] * (c.threshold(i) - mean)
		}
		correlation := product / squares
		if fixed {
			assert.InDelta(t, 1, correlation, 1e-9)
		} else {
			assert.InDelta(t, 0, correlation, 0.03)
		}
	}
	wide := newTestCamera(t, Model{Threshold: 0.02, Sigma: 1}, make([]float64, 100))
	low := 0
	for i := range 100 {
		require.GreaterOrEqual(t, wide.threshold(i), 0.01)
		if wide.threshold(i) == 0.01 {
			low++
		}
	}
	assert.Greater(t, low, 20)
}

func TestNoiseRate(t *testing.T) {
	c := newTestCamera(t, Model{Threshold: 0.2, NoiseRate: 5}, make([]float64, 1000))
	on, n := 0, 0
	for k := range 100 {
		last := 0.0
		for _, e := range c.Step(nil, 0.01*float64(k), 0.01*float64(k+1), make([]float64, 1000)) {
			require.GreaterOrEqual(t, e.T, last)
			last = e.T
			n++
			if e.P > 0 {
				on++
			}
		}
	}
	assert.InDelta(t, 5000, n, 300)
	assert.InDelta(t, 0.5, float64(on)/float64(n), 0.05)
}

func TestModelFaults(t *testing.T) {
	for _, m := range []Model{{}, {Threshold: math.NaN()}, {Threshold: 0.2, Sigma: -1}, {Threshold: 0.2, Refractory: math.Inf(1)}} {
		_, err := NewCamera(m, 1, []float64{0}, 0)
		assert.Error(t, err)
	}
}

// TestEventsFollowThePicture films a scene and adds polarities up: at any time they
// give ln intensity of both views within a threshold.
func TestEventsFollowThePicture(t *testing.T) {
	s := Random(testRig, testLayout(), 0.3, 21)
	m := Model{Threshold: 0.15}
	r, err := NewRecorder(s, m, 1)
	require.NoError(t, err)
	n := testRig.Width * testRig.Height
	var sum, first, now [2][]float64
	for v := range sum {
		sum[v], first[v], now[v] = make([]float64, n), make([]float64, n), make([]float64, n)
		s.Eye(stereo.View(v), 0).LogIntensity(first[v])
	}
	for range 6 {
		f, err := r.Next(context.Background())
		require.NoError(t, err)
		for v, events := range f.Events {
			require.Greater(t, len(events), 50)
			s.Eye(stereo.View(v), f.Time).LogIntensity(now[v])
			for _, e := range events {
				sum[v][int(e.Y)*testRig.Width+int(e.X)] += float64(e.P)
			}
			for i := range n {
				require.Less(t, math.Abs(now[v][i]-first[v][i]-m.Threshold*sum[v][i]), m.Threshold+1e-9)
			}
		}
	}
}
