package torch

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The form for CUDA devices, whose numbers lie in tensors, takes the steps of the
// other one. A replay is Begin once more and the same Apply.
func TestOptimizersWithNumbersOnTheDevice(t *testing.T) {
	testTogether(t, func(Optimizer) {})
}

// So do libtorch's fused optimisers, which have kernels for CPUs since 2.4.
func TestFusedOptimizers(t *testing.T) {
	if s := NewInference(); !s.has(fusedSGD) || !s.has(fusedAdam) || !s.has("aten::_fused_adagrad_") {
		t.Skip("this libtorch has no fused optimisers for CPUs")
	}
	testTogether(t, func(o Optimizer) {
		switch o := o.(type) {
		case *SGD:
			o.together.fused = true
		case *Adam:
			o.together.fused = true
		}
	})
}

// testTogether compares the two forms; choose changes the one for devices.
func testTogether(t *testing.T, choose func(Optimizer)) {
	for name, make := range map[string]func(p *problem, together bool) (Optimizer, error){
		"SGD": func(p *problem, together bool) (Optimizer, error) {
			return newSGD(CPU(), p.v.Parameters(), SGDOptions{Momentum: 0.8, WeightDecay: 0.3}, together)
		},
		"SGD without decay": func(p *problem, together bool) (Optimizer, error) {
			return newSGD(CPU(), p.v.Parameters(), SGDOptions{Momentum: 0.8}, together)
		},
		"Adam": func(p *problem, together bool) (Optimizer, error) {
			return newAdam(CPU(), p.v.Parameters(), AdamOptions{WeightDecay: 0.1}, together)
		},
		"Adam without decay": func(p *problem, together bool) (Optimizer, error) {
			return newAdam(CPU(), p.v.Parameters(), AdamOptions{}, together)
		},
	} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			host, device := newProblem(t), newProblem(t)
			a, err := make(host, false)
			require.NoError(t, err)
			b, err := make(device, true)
			require.NoError(t, err)
			choose(b)
			for i, rate := range testRates {
				a.SetLearningRate(rate)
				b.SetLearningRate(rate)
				host.step(t, a)
				device.step(t, b)
				assert.EqualValues(t, i+1, b.Steps())
				for k, v := range host.v.All() {
					assertClose(t, read(t, v.Value), device.v.All()[k].Value, 1e-6)
				}
				for k, v := range a.State() {
					assertClose(t, read(t, v.Value), b.State()[k].Value, 1e-6)
				}
			}
			assert.Len(t, b.State(), len(a.State()), "the numbers are no state")
			for _, o := range []Optimizer{a, b} {
				require.NoError(t, o.(interface{ Close() error }).Close())
			}
			for _, p := range []*problem{host, device} {
				require.NoError(t, p.v.Close())
			}
		})
	}
}

func TestBeginInAFailedScopeCountsButWritesNothing(t *testing.T) {
	p := newProblem(t)
	o, err := newSGD(CPU(), p.v.Parameters(), SGDOptions{Rate: 0.5}, true)
	require.NoError(t, err)
	defer o.Close()
	s := NewScope()
	defer s.Close()
	s.Fail(ErrClosed)
	o.Begin(s)
	assertClose(t, number(0), o.together.numbers[0], 0)
	assert.ErrorIs(t, s.Err(), ErrClosed)
}

// On a CUDA device: recorded steps change the parameters as the others do.
func TestRecordedStepsOnCUDA(t *testing.T) {
	d := cudaDevice(t)
	leave, err := OwnStream(d)
	require.NoError(t, err)
	train := func(recorded bool) []float32 {
		rng := rand.New(rand.NewSource(3))
		v := NewVariables(d)
		defer v.Close()
		w := v.Root().Parameter("w", Values(random(rng, 3, 4).data...), 3, 4)
		require.NoError(t, v.Err())
		o, err := NewAdam(d, v.Parameters(), AdamOptions{WeightDecay: 0.1})
		require.NoError(t, err)
		defer o.Close()
		keep := NewInference()
		defer keep.Close()
		input := Upload(keep, d, make([]float32, 12), 3, 4)
		work := func() error {
			s := NewScope()
			defer s.Close()
			loss := s.Sum(s.Mul(s.Mul(w, w), input))
			gradients := s.GradientOf(loss, []Tensor{w})
			s.ClipGradients(gradients, 0.5)
			o.Apply(s, gradients)
			return s.Err()
		}
		var graph *Graph
		defer func() { graph.Close() }()
		for step, rate := range testRates {
			values := make([]float32, 12)
			for i := range values {
				values[i] = float32(rng.NormFloat64())
			}
			Overwrite(keep, input, values)
			o.SetLearningRate(rate)
			o.Begin(keep)
			require.NoError(t, keep.Err())
			switch {
			case !recorded || step < 2:
				require.NoError(t, work())
				continue
			case graph == nil:
				graph, err = Record(d, nil, work)
				require.NoError(t, err)
			}
			require.NoError(t, graph.Replay())
		}
		require.NoError(t, Synchronize(d))
		return bits(t, w)
	}
	assert.Equal(t, train(false), train(true))
	require.NoError(t, leave())
}
