package synth

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/data/internal/random"
	"github.com/spikedhs/spikedhs/data/stereo"
)

// Model describes how a pixel of an event camera reacts.
type Model struct {
	// Threshold is C, the change of ln intensity of one event. Default scenes: 0.25.
	Threshold float64 `json:"threshold"`
	// Sigma is the standard deviation of the threshold, which is never below 0.01.
	Sigma float64 `json:"sigma"`
	// FixedPattern draws the threshold of each pixel once (v2e) instead of again for
	// each sample of the picture (ESIM).
	FixedPattern bool `json:"fixed_pattern"`
	// Refractory is the time in seconds after an event in which a pixel sends no other.
	Refractory float64 `json:"refractory"`
	// NoiseRate is the rate of events without a cause, in Hz for each pixel.
	NoiseRate float64 `json:"noise_rate"`
}

func (m Model) check() error {
	for _, v := range []float64{m.Sigma, m.Refractory, m.NoiseRate} {
		if !(v >= 0) || math.IsInf(v, 1) {
			return fmt.Errorf("synth: event camera %+v: no value may be below 0", m)
		}
	}
	if !(m.Threshold >= leastThreshold) || math.IsInf(m.Threshold, 1) {
		return fmt.Errorf("synth: threshold %g: choose at least %g", m.Threshold, leastThreshold)
	}
	return nil
}

const (
	leastThreshold = 0.01
	// still is the change of ln intensity below which a pixel does nothing (ESIM).
	still = 1e-6
	// tail is where the normal distribution of thresholds ends, in standard deviations.
	tail = 6
)

// Camera is an event camera. For each pixel it keeps the level of ln intensity at the
// last event; each time that ln intensity has gone a threshold away from there, an
// event is sent and the level moves.
type Camera struct {
	model  Model
	width  int
	seed   uint64
	step   uint64
	before []float64 // ln intensity at the last sample
	// The level is start + Threshold*net + drift: net counts events with their sign, and
	// drift collects by how much noisy thresholds differed from Threshold. So without
	// noise the level is exactly what the events say.
	start, drift []float64
	net          []int32
	last         []float64 // time of the last event that was sent
}

// NewCamera makes a camera that sees the picture logI, ln intensity with rows of width
// pixels. seed decides the noise.
func NewCamera(m Model, width int, logI []float64, seed uint64) (*Camera, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	n := len(logI)
	c := &Camera{
		model: m, width: width, seed: seed,
		before: slices.Clone(logI), start: slices.Clone(logI), drift: make([]float64, n), net: make([]int32, n), last: make([]float64, n),
	}
	for i := range c.last {
		c.last[i] = math.Inf(-1)
	}
	return c, nil
}

// Level is the level of pixel i: ln intensity at its last event.
func (c *Camera) Level(i int) float64 {
	return c.start[i] + c.model.Threshold*float64(c.net[i]) + c.drift[i]
}

// Step lets the picture change linearly (in ln intensity) from what it was at time from
// to logI at time to, and appends the events to events in the order of time, pixels of
// one time in the order of rows.
func (c *Camera) Step(events []stereo.Event, from, to float64, logI []float64) []stereo.Event {
	first := len(events)
	for i, next := range logI {
		change := next - c.before[i]
		if math.Abs(change) > still {
			events = c.pixel(events, i, next, change, from, to)
		}
		c.before[i] = next
	}
	events = c.noise(events, from, to)
	c.step++
	slices.SortStableFunc(events[first:], func(a, b stereo.Event) int { return cmp.Compare(a.T, b.T) })
	return events
}

// pixel sends the events of one pixel.
func (c *Camera) pixel(events []stereo.Event, i int, next, change, from, to float64) []stereo.Event {
	pol := 1.0
	if change < 0 {
		pol = -1
	}
	// Most pixels cannot reach any threshold: no need to draw one.
	if pol*(next-c.Level(i)) < max(leastThreshold, c.model.Threshold-tail*c.model.Sigma) {
		return events
	}
	threshold := c.threshold(i)
	for {
		level := c.Level(i) + pol*threshold
		if pol*(next-level) < 0 {
			return events
		}
		// A level that a smaller threshold of this step has put behind the pixel is
		// crossed at once.
		t := from + max(0, (level-c.before[i])/change)*(to-from)
		c.net[i] += int32(pol)
		c.drift[i] += pol * (threshold - c.model.Threshold)
		if t-c.last[i] < c.model.Refractory {
			continue
		}
		c.last[i] = t
		events = append(events, stereo.Event{T: t, X: uint16(i % c.width), Y: uint16(i / c.width), P: int8(pol)})
	}
}

// threshold is the threshold of pixel i in this step.
func (c *Camera) threshold(i int) float64 {
	if c.model.Sigma == 0 {
		return c.model.Threshold
	}
	step := c.step + 1
	if c.model.FixedPattern {
		step = 0
	}
	return max(leastThreshold, c.model.Threshold+c.model.Sigma*normal(c.seed, step, uint64(i)))
}

// noise sends events without a cause: a Poisson process in each pixel.
func (c *Camera) noise(events []stereo.Event, from, to float64) []stereo.Event {
	if c.model.NoiseRate == 0 {
		return events
	}
	n := uint64(len(c.before))
	rate := c.model.NoiseRate * float64(n) // of all pixels together
	t := from
	for k := uint64(0); ; k++ {
		a := mix(c.seed, c.step, n+2*k)
		t -= math.Log(unitOpen(a)) / rate
		if t > to {
			return events
		}
		b := mix(c.seed, c.step, n+2*k+1)
		i := int((b >> 1) % n)
		if t-c.last[i] < c.model.Refractory {
			continue
		}
		events = append(events, stereo.Event{T: t, X: uint16(i % c.width), Y: uint16(i / c.width), P: int8(2*(b&1)) - 1})
	}
}

// mix is a random number that its arguments decide (SplitMix64, Steele et al. 2014), so
// that a pixel's noise does not depend on how many others drew some before it.
func mix(seed, step, i uint64) uint64 {
	return random.Scramble(random.Scramble(random.Scramble(seed)+step) + i)
}

// unitOpen maps bits to (0, 1].
func unitOpen(bits uint64) float64 { return (float64(bits>>11) + 1) / (1 << 53) }

// normal is a draw of the normal distribution, cut at tail (Box and Muller 1958).
func normal(seed, step, i uint64) float64 {
	a := mix(seed, step, i)
	z := math.Sqrt(-2*math.Log(unitOpen(a))) * math.Cos(2*math.Pi*unitOpen(random.Scramble(a)))
	return min(tail, max(-tail, z))
}
