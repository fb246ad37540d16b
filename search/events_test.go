package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// classesOf are the first guesses.
func classesOf(logits []float32, classes int) []int {
	var list []int
	for len(logits) > 0 {
		best := 0
		for i := range classes {
			if logits[i] > logits[best] {
				best = i
			}
		}
		list, logits = append(list, best), logits[classes:]
	}
	return list
}

// The event-driven form against the plain list. Random networks have membranes
// at rounding distance from the threshold now and then; nearly all images must
// agree, and most to the last digits.
func TestEventDrivenFormAgrees(t *testing.T) {
	needKernels(t, "events")
	images, agree, near := 0, 0, 0
	for i, v := range variants(t) {
		t.Run(v.String(), func(t *testing.T) {
			s := begin(t, uint64(150+i))
			p := v.program(t, v.trained(t, s))
			require.Equal(t, v.options.Stem == StemSpike, p.EventDriven())
			for _, batch := range []int64{1, 5} {
				x := v.images(s, batch)
				want, have := read(t, p.Run(s, x)), read(t, p.RunFast(s, x))
				require.NoError(t, s.Err())
				require.Len(t, have, len(want))
				if !p.EventDriven() {
					assert.Equal(t, want, have)
					continue
				}
				a, b := classesOf(want, 3), classesOf(have, 3)
				for k := range a {
					images++
					if a[k] == b[k] {
						agree++
					}
					if within(want[3*k:3*k+3], have[3*k:3*k+3], 1e-4) {
						near++
					}
				}
			}
		})
	}
	assert.Positive(t, images)
	assert.GreaterOrEqual(t, float64(agree), 0.99*float64(images), "of %d images", images)
	assert.GreaterOrEqual(t, float64(near), 0.95*float64(images), "of %d images", images)
}

func within(a, b []float32, tolerance float32) bool {
	for i := range a {
		if d := a[i] - b[i]; !(d <= tolerance && d >= -tolerance) {
			return false
		}
	}
	return true
}

// Weights that are multiples of 1/64 make every sum exact, in whatever order:
// then the two forms give the same bits.
func TestEventDrivenFormIsExactOnCoarseWeights(t *testing.T) {
	needKernels(t, "events")
	for i, v := range variants(t) {
		if v.options.Stem == StemReLU {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			s := begin(t, uint64(250+i))
			p := v.program(t, v.trained(t, s))
			coarsen(s, p)
			x := v.images(s, 4)
			// A spike more or less moves a logit by some 1e-5 at least; the classifier
			// rounds its rates row by row in one form and together in the other.
			assert.InDeltaSlice(t, read(t, p.Run(s, x)), read(t, p.RunFast(s, x)), 2e-6)
			require.NoError(t, s.Err())
		})
	}
}

// eventDriven is a network's program on a machine that has the kernels of its form.
func eventDriven(t *testing.T, seed uint64) (*torch.Scope, variant, *graph.Program) {
	t.Helper()
	needKernels(t, "events")
	s := begin(t, seed)
	v := variants(t)[0]
	return s, v, v.program(t, v.trained(t, s))
}

// One image gives the same bits in any company and with any number of threads.
func TestEventDrivenFormIsDeterministic(t *testing.T) {
	s, v, p := eventDriven(t, 170)
	images := v.images(s, 4)
	together := read(t, p.RunFast(s, images))
	for i := range 4 {
		assert.Equal(t, together[3*i:3*i+3], read(t, p.RunFast(s, s.Narrow(images, 0, i, 1))))
	}
	before := torch.Threads()
	defer func() { require.NoError(t, torch.SetThreads(before)) }()
	for _, threads := range []int{1, 2, 3, 7} {
		require.NoError(t, torch.SetThreads(threads))
		assert.Equal(t, together, read(t, p.RunFast(s, images)), "%d threads", threads)
	}
}

func TestEventDrivenFormOnWrongImages(t *testing.T) {
	_, _, p := eventDriven(t, 192)
	requireRefusal(t, p.RunFast, "event-driven program, step 0: ")
}

func TestEventDrivenFormFreesItsTensors(t *testing.T) {
	s, v, p := eventDriven(t, 193)
	images := v.images(s, 2)
	p.RunFast(s, images)
	before := torch.LiveTensors()
	p.RunFast(s, images)
	require.NoError(t, s.Err())
	assert.Equal(t, before+1, torch.LiveTensors(), "the logits alone are left")
}
