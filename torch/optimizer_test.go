package torch

import (
	"bytes"
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// problem is the loss sum(a w^2 / 2 + b w) over two variables, with gradient
// a w + b, and a third variable that the loss does not see.
type problem struct {
	v    *Variables
	a, b []array
}

func newProblem(t *testing.T) *problem {
	t.Helper()
	rng := rand.New(rand.NewSource(1))
	p := &problem{v: NewVariables(CPU())}
	t.Cleanup(func() { p.v.Close() })
	for i, shape := range [][]int64{{3, 2}, {4}} {
		p.v.Root().At("w", i).Parameter("x", Values(random(rng, shape...).data...), shape...)
		p.a = append(p.a, random(rng, shape...))
		p.b = append(p.b, random(rng, shape...))
	}
	p.v.Root().Parameter("idle", Constant(7), 2)
	require.NoError(t, p.v.Err())
	return p
}

// loss is the sum of a/2 w^2 + b w over all numbers w.
func (p *problem) loss(s *Scope) Tensor {
	loss := s.Zeros(CPU())
	for i := range p.a {
		w := p.v.All()[i].Value
		quadratic := s.Scale(s.Mul(p.a[i].tensor(s), s.Mul(w, w)), 0.5)
		loss = s.Add(loss, s.Sum(s.Add(quadratic, s.Mul(p.b[i].tensor(s), w))))
	}
	return loss
}

// step does one optimiser step on fresh gradients.
func (p *problem) step(t *testing.T, o Optimizer) {
	t.Helper()
	s := NewScope()
	defer s.Close()
	o.Step(s, s.GradientOf(p.loss(s), Tensors(p.v.Parameters())))
	require.NoError(t, s.Err())
}

// oracle does the same in float64: update changes one number w, whose gradient
// is g, in step 1, 2, ...; memory holds what it keeps for that number.
func (p *problem) oracle(t *testing.T, rates []float64, update func(w, g, rate float64, step int, memory *[2]float64) float64) []array {
	t.Helper()
	var all []array
	for i := range p.a {
		w := read(t, p.v.All()[i].Value)
		for k := range w.data {
			var memory [2]float64
			for n, rate := range rates {
				w.data[k] = update(w.data[k], p.a[i].data[k]*w.data[k]+p.b[i].data[k], rate, n+1, &memory)
			}
		}
		all = append(all, w)
	}
	return all
}

var testRates = []float64{0.1, 0.1, 0.05, 0.02, 0.2}

func (p *problem) compare(t *testing.T, o Optimizer, want []array) {
	t.Helper()
	for i, rate := range testRates {
		o.SetLearningRate(rate)
		p.step(t, o)
		assert.EqualValues(t, i+1, o.Steps())
	}
	for i := range want {
		assertClose(t, want[i], p.v.All()[i].Value, 1e-5)
	}
	assertClose(t, vector(7, 7), p.v.All()[2].Value, 0) // no gradient, no change
}

func TestSGD(t *testing.T) {
	for name, c := range map[string]SGDOptions{
		"plain":                     {},
		"momentum":                  {Momentum: 0.9},
		"weight decay":              {WeightDecay: 0.1},
		"momentum and weight decay": {Momentum: 0.8, WeightDecay: 0.3},
	} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			p := newProblem(t)
			want := p.oracle(t, testRates, func(w, g, rate float64, _ int, memory *[2]float64) float64 {
				memory[0] = c.Momentum*memory[0] + g + c.WeightDecay*w
				return w - rate*memory[0]
			})
			o, err := NewSGD(CPU(), p.v.Parameters(), c)
			require.NoError(t, err)
			defer o.Close()
			assert.Equal(t, []string{"momentum.w.0.x", "momentum.w.1.x", "momentum.idle"}, names(o.State()))
			p.compare(t, o, want)
		})
	}
}

func TestAdam(t *testing.T) {
	for name, c := range map[string]AdamOptions{
		"defaults":     {},
		"weight decay": {WeightDecay: 0.1},
		"betas":        {Beta1: 0.5, Beta2: 0.9, WeightDecay: 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			p := newProblem(t)
			beta1, beta2 := 0.9, 0.999
			if c.Beta1 != 0 {
				beta1, beta2 = c.Beta1, c.Beta2
			}
			want := p.oracle(t, testRates, func(w, g, rate float64, step int, memory *[2]float64) float64 {
				g += c.WeightDecay * w
				memory[0] = beta1*memory[0] + (1-beta1)*g
				memory[1] = beta2*memory[1] + (1-beta2)*g*g
				first := memory[0] / (1 - math.Pow(beta1, float64(step)))
				second := memory[1] / (1 - math.Pow(beta2, float64(step)))
				return w - rate*first/(math.Sqrt(second)+1e-8)
			})
			o, err := NewAdam(CPU(), p.v.Parameters(), c)
			require.NoError(t, err)
			defer o.Close()
			assert.Equal(t, []string{
				"first_moment.w.0.x", "first_moment.w.1.x", "first_moment.idle",
				"second_moment.w.0.x", "second_moment.w.1.x", "second_moment.idle",
			}, names(o.State()))
			p.compare(t, o, want)
		})
	}
}

// closer is what both optimisers are.
type closer interface {
	Optimizer
	Close() error
}

var optimizers = map[string]func(*Variables) (closer, error){
	"SGD": func(v *Variables) (closer, error) {
		return NewSGD(CPU(), v.Parameters(), SGDOptions{Rate: 0.1, Momentum: 0.9, WeightDecay: 0.1})
	},
	"Adam": func(v *Variables) (closer, error) {
		return NewAdam(CPU(), v.Parameters(), AdamOptions{Rate: 0.1, WeightDecay: 0.1})
	},
}

// The state goes through a file, into an optimiser of another network, as a
// checkpoint does.
func TestARestoredOptimizerTakesTheSameStep(t *testing.T) {
	for name, create := range optimizers {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			p, q := newProblem(t), newProblem(t)
			o, err := create(p.v)
			require.NoError(t, err)
			defer o.Close()
			for range 3 {
				p.step(t, o)
			}
			var weights, state bytes.Buffer
			require.NoError(t, WriteSafetensors(&weights, p.v.All(), nil))
			require.NoError(t, WriteSafetensors(&state, o.State(), nil))
			steps := o.Steps()
			p.step(t, o)

			s := NewInference()
			defer s.Close()
			savedWeights, _, err := ReadSafetensors(s, &weights)
			require.NoError(t, err)
			savedState, _, err := ReadSafetensors(s, &state)
			require.NoError(t, err)
			restored, err := create(q.v)
			require.NoError(t, err)
			defer restored.Close()
			require.NoError(t, q.v.Assign(savedWeights))
			require.NoError(t, restored.SetState(savedState, steps))
			q.step(t, restored)
			assert.Equal(t, o.Steps(), restored.Steps())
			assert.Equal(t, snapshot(t, p.v), snapshot(t, q.v))

			delete(savedState, o.State()[0].Name)
			assert.ErrorIs(t, restored.SetState(savedState, 1), ErrMismatch)
			assert.Equal(t, o.Steps(), restored.Steps())
		})
	}
}

func TestAFailedScopeTakesNoStep(t *testing.T) {
	for name, create := range optimizers {
		t.Run(name, func(t *testing.T) {
			p := newProblem(t)
			o, err := create(p.v)
			require.NoError(t, err)
			defer o.Close()
			p.step(t, o)
			before := snapshot(t, p.v)
			for text, spoil := range map[string]func(*Scope, []Tensor) []Tensor{
				"no such operator":             func(s *Scope, g []Tensor) []Tensor { s.Call("aten::no_such_operator"); return g },
				"2 gradients for 3 parameters": func(_ *Scope, g []Tensor) []Tensor { return g[:2] },
			} {
				s := NewScope()
				gradients := []Tensor{s.ZerosLike(p.v.All()[0].Value), s.ZerosLike(p.v.All()[1].Value), {}}
				o.Step(s, spoil(s, gradients))
				assert.ErrorContains(t, s.Close(), text)
			}
			assert.Equal(t, before, snapshot(t, p.v))
			assert.EqualValues(t, 1, o.Steps())
		})
	}
}

func TestClipGradients(t *testing.T) {
	for name, c := range map[string]struct{ limit, scale float64 }{
		"above the limit": {1, 1 / (13 + 1e-6)},
		"below the limit": {20, 1},
		"no limit":        {0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			s := NewScope()
			defer s.Close()
			a, b := vector(3, 4).tensor(s), vector(12).tensor(s)
			norm := s.ClipGradients([]Tensor{a, {}, b}, c.limit)
			require.NoError(t, s.Err())
			assert.InDelta(t, 13, s.Item(norm), 1e-5)
			assertClose(t, vector(3*c.scale, 4*c.scale), a, 1e-6)
			assertClose(t, vector(12*c.scale), b, 1e-6)
		})
	}
	s := NewScope()
	defer s.Close()
	assert.Zero(t, s.Item(s.ClipGradients([]Tensor{{}}, 1)), "no gradient at all")
	require.NoError(t, s.Err())
}

func TestCosine(t *testing.T) {
	for _, c := range []struct{ done, want float64 }{
		{-1, 0.5}, {0, 0.5}, {1.0 / 3, 0.1 + 0.4*0.75}, {0.5, 0.3}, {2.0 / 3, 0.1 + 0.4*0.25}, {1, 0.1}, {2, 0.1},
	} {
		assert.InDelta(t, c.want, Cosine(0.5, 0.1, c.done), 1e-12, "at %v", c.done)
	}
}
