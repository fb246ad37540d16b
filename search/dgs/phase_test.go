package dgs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

var leaks, values = torchtest.Live, torchtest.Read[float32]

// snapshot is every variable of a network.
func snapshot(t *testing.T, v *torch.Variables) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for _, x := range v.All() {
		all[x.Name] = values(t, x.Value)
	}
	return all
}

// Three iterations on three batches are those of loops over float64: alpha, shares,
// chosen candidates and temperatures.
func TestAgainstDefinition(t *testing.T) {
	for _, estimate := range []Estimate{Repeat, Direct, Auto} {
		for _, c := range []struct {
			tau, clip float64
			steps     int
		}{{0.2, 0, 4}, {0.2, 0.4, 3}, {0, 0, 3}, {0.2, 0, 1}} {
			t.Run(fmt.Sprint(estimate, c), func(t *testing.T) {
				leaks(t)
				o := newOracle(11, c.tau, c.steps, 5, 7, 6, 3)
				o.clip = c.clip
				net := o.tensors(t)
				before := snapshot(t, net.variables)
				p, err := New(net.layers, Options{Iterations: 3, LearningRate: o.rate, Clip: c.clip, Estimate: estimate})
				require.NoError(t, err)
				rng := rand.New(rand.NewSource(5))
				for range 3 {
					o.draw(rng)
					require.NoError(t, p.Step(net.loss(o)))
					o.iterate()
					for k := range net.layers {
						assert.InDeltaSlice(t, o.alphas[k], p.Alphas()[k], 1e-5)
						assert.InDeltaSlice(t, o.sums[k], p.State().Shares[k], 1e-5)
					}
				}
				if c.clip > 0 {
					assert.True(t, o.clipped > 0 && o.clipped < 3*5*2, "%d of 30 gradients are clipped", o.clipped)
				}
				assert.Equal(t, before, snapshot(t, net.variables), "an iteration leaves everything as it was")
				results, err := p.Finish()
				require.NoError(t, err)
				for k, r := range results {
					best := 0
					for i, sum := range o.sums[k] {
						if sum > o.sums[k][best] {
							best = i
						}
					}
					assert.Equal(t, best, r.Chosen)
					assert.InDelta(t, o.layers[k].b, r.Before, 1e-6)
					assert.InDelta(t, o.layers[k].b+float64(best-2)*0.2, r.After, 1e-6)
					assert.Equal(t, float32(r.After), values(t, net.layers[k].Temperature.Of)[0])
				}
				passes := Passes{Network: 3 * 2, Layer: 3 * 5 * 2}
				if estimate == Repeat {
					passes = Passes{Network: 3 * (5*2 + 1)}
				}
				assert.Equal(t, passes, p.Passes())
			})
		}
	}
}

// A scale of the losses that is a power of two changes no bit.
func TestLossScaleOfASearch(t *testing.T) {
	for _, estimate := range []Estimate{Repeat, Direct} {
		var alphas [][][]float64
		for _, factor := range []float64{0, 1 << 10} {
			o := newOracle(11, 0.2, 4, 5, 7, 6, 3)
			net := o.tensors(t)
			p, err := New(net.layers, Options{Iterations: 2, LearningRate: o.rate, Clip: 0.4, Estimate: estimate, LossScale: factor})
			require.NoError(t, err)
			require.NoError(t, p.Step(net.loss(o)))
			alphas = append(alphas, p.Alphas())
		}
		assert.Equal(t, alphas[0], alphas[1], estimate)
	}
	o := newOracle(11, 0.2, 4, 5, 7, 6, 3)
	net := o.tensors(t)
	plain, err := Measure(net.layers, net.loss(o), nil, 0)
	require.NoError(t, err)
	scaled, err := Measure(net.layers, net.loss(o), nil, 1<<10)
	require.NoError(t, err)
	assert.Equal(t, plain, scaled)
}

// candidatesOf finds the candidates' weights as numbers.
func candidatesOf(t *testing.T, net *network, loss Loss, e Estimate) [][]float32 {
	t.Helper()
	p, err := New(net.layers, Options{LearningRate: 1, Estimate: e})
	require.NoError(t, err)
	s := torch.NewScope()
	var list [][]float32
	for _, layer := range p.candidates(s, loss) {
		for _, w := range layer {
			for _, x := range w {
				list = append(list, values(t, x))
			}
		}
	}
	require.NoError(t, s.Close())
	return list
}

// The direct estimate is the repeated one, with memory and without: what arrives at
// a layer's spikes does not depend on its surrogate.
func TestDirectEqualsRepeat(t *testing.T) {
	for _, tau := range []float64{0, 0.2, 0.9} {
		for _, steps := range []int{1, 2, 6} {
			leaks(t)
			o := newOracle(3, tau, steps, 6, 9, 8, 5, 4)
			net := o.tensors(t)
			repeated, direct := candidatesOf(t, net, net.loss(o), Repeat), candidatesOf(t, net, net.loss(o), Direct)
			require.Len(t, direct, 3*5*2)
			moved := 0
			for i := range direct {
				assert.InDeltaSlice(t, repeated[i], direct[i], 1e-6, "tau %g, T %d", tau, steps)
				if i%10 < 8 && fmt.Sprint(direct[i]) != fmt.Sprint(direct[i+2]) {
					moved++
				}
			}
			assert.Greater(t, moved, 15, "candidates differ from each other")
		}
	}
}

// What the paper's condition says: by scaling the gradient that one surrogate left at
// the current by g_i/g, the gradient of g_i comes out only where nothing passes from
// one step to the next.
func TestLinearInTheSurrogateOnlyWithoutMemory(t *testing.T) {
	for _, c := range []struct {
		tau    float64
		steps  int
		linear bool
	}{{0, 4, true}, {0.2, 1, true}, {0.2, 4, false}, {0.9, 4, false}} {
		o := newOracle(3, c.tau, c.steps, 6, 9, 4)
		l := o.layers[0]
		o.pass()
		base, b := l.dI, l.b
		l.b = b + 0.4
		o.pass()
		worst := 0.0
		for t := range o.steps {
			for n := range o.n {
				for k, u := range l.u[t][n] {
					if g := slope(u-o.vth, b); g > 0 {
						worst = max(worst, math.Abs(base[t][n][k]*slope(u-o.vth, l.b)/g-l.dI[t][n][k]))
					}
				}
			}
		}
		if c.linear {
			assert.Less(t, worst, 1e-12)
		} else {
			assert.Greater(t, worst, 1e-5)
		}
	}
}

// With the same weights for all candidates a mixed pass is the ordinary one, to
// the bit.
func TestAMixtureOfEqualsIsTheLayer(t *testing.T) {
	leaks(t)
	o := newOracle(4, 0.2, 4, 5, 8, 7, 3)
	net := o.tensors(t)
	loss := net.loss(o)
	s := torch.NewScope()
	defer s.Close()
	want := s.Item(loss(s))
	for _, l := range net.layers {
		m := &mixture{alpha: torch.FromSlice(s, []float32{0.3, -2, 1, 0.1, 0}, 5)}
		for range 5 {
			m.weights = append(m.weights, l.weights(s))
		}
		l.mixture = m
	}
	assert.Equal(t, want, s.Item(loss(s)))
	for _, l := range net.layers {
		assert.Equal(t, 1, l.mixture.calls)
		l.mixture = nil
	}
	require.NoError(t, s.Err())
}

// hill is a layer of neurons that all want to cross the threshold, from a distance
// of a quarter. The temperature whose derivative is largest there moves them most.
func hill(t *testing.T, b float64) (*Layer, Loss) {
	t.Helper()
	v := torch.NewVariables(torch.CPU())
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	w := v.Root().Parameter("weight", torch.Values(0.25, 0.75, 0.25, 0.75), 4)
	n := spike.NewNeurons(v.Root().Sub("neurons"), spike.Default(), b)
	require.NoError(t, v.Err())
	l := NewLayer("hill", n, 1, []Tensor{w}, func(s *torch.Scope, weights []Tensor, inputs ...Tensor) Tensor {
		return s.Mul(weights[0], inputs[0])
	})
	return l, func(s *torch.Scope) Tensor {
		y := l.Forward(s, s.Full(torch.CPU(), 1, 1, 4))
		d := s.Sub(y, torch.FromSlice(s, []float32{1, 0, 1, 0}, 1, 4))
		return s.Mean(s.Mul(d, d))
	}
}

// The search climbs to the temperature that is known to be best, from both sides, and
// stays there.
func TestTheSearchFindsTheBestTemperature(t *testing.T) {
	best := 1.0
	for b := 1.0; b < 6; b += 0.001 {
		if slope(0.25, b) > slope(0.25, best) {
			best = b
		}
	}
	require.InDelta(t, 1.9, best, 0.2)
	for _, estimate := range []Estimate{Repeat, Direct} {
		for _, start := range []float64{1.1, 3, 5.5} {
			leaks(t)
			l, loss := hill(t, start)
			distance := math.Abs(start - best)
			var found float64
			for range 14 {
				results, err := Search(context.Background(), []*Layer{l}, func(context.Context, *torch.Scope, int) (Loss, error) { return loss, nil },
					Options{Iterations: 2, LearningRate: 0.1, Estimate: estimate})
				require.NoError(t, err)
				found = results[0].After
				require.LessOrEqual(t, math.Abs(found-best), max(distance, 0.2)+1e-5, "never away")
				distance = math.Abs(found - best)
			}
			assert.InDelta(t, best, found, 0.11, "within half a step, from %g", start)
		}
	}
}

// The chosen temperature stays within its bounds; the candidates need not.
func TestTheTemperatureIsClipped(t *testing.T) {
	l, loss := hill(t, 5.5)
	batches := func(context.Context, *torch.Scope, int) (Loss, error) { return loss, nil }
	results, err := Search(context.Background(), []*Layer{l}, batches, Options{Iterations: 1, LearningRate: 0.1, Min: 5.3, Max: 6})
	require.NoError(t, err)
	assert.Equal(t, 0, results[0].Chosen)
	assert.InDelta(t, 5.1, results[0].Temperatures[0], 1e-6)
	assert.InDelta(t, 5.3, results[0].After, 1e-6)
	sum := 0.0
	for _, share := range results[0].Shares {
		sum += share
	}
	assert.InDelta(t, 1, sum, 1e-12)
}

// A layer that is used twice is repeated by itself, or refused.
func TestALayerUsedTwice(t *testing.T) {
	leaks(t)
	o := newOracle(6, 0.2, 3, 5, 5, 3)
	net := o.tensors(t)
	net.layers = append(net.layers, net.layers[0])
	loss := net.loss(o)
	net.layers = net.layers[:1]
	twice := func(s *torch.Scope) Tensor {
		net.layers = append(net.layers, net.layers[0])
		defer func() { net.layers = net.layers[:1] }()
		return loss(s)
	}
	p, err := New(net.layers, Options{LearningRate: 0.1, Estimate: Direct})
	require.NoError(t, err)
	assert.ErrorIs(t, p.Step(twice), ErrOptions)
	assert.False(t, net.layers[0].Active())
	p, err = New(net.layers, Options{LearningRate: 0.1})
	require.NoError(t, err)
	require.NoError(t, p.Step(twice))
	assert.Equal(t, Passes{Network: 1 + 5 + 1}, p.Passes())
}

// A search goes on from its state as if nothing had been.
func TestResume(t *testing.T) {
	leaks(t)
	finish := func(cut bool) ([]Result, State) {
		o := newOracle(8, 0.2, 3, 5, 6, 6, 3)
		net := o.tensors(t)
		options := Options{Iterations: 5, LearningRate: 0.3}
		p, err := New(net.layers, options)
		require.NoError(t, err)
		rng := rand.New(rand.NewSource(5))
		for i := range 5 {
			o.draw(rng)
			require.NoError(t, p.Step(net.loss(o)))
			if cut && i == 2 {
				_, err := p.Finish()
				require.ErrorIs(t, err, ErrOptions)
				p, err = Resume(net.layers, options, p.State())
				require.NoError(t, err)
			}
		}
		require.ErrorIs(t, p.Step(net.loss(o)), ErrOptions)
		results, err := p.Finish()
		require.NoError(t, err)
		return results, p.State()
	}
	whole, state := finish(false)
	again, stateAgain := finish(true)
	assert.Equal(t, whole, again)
	assert.Equal(t, state, stateAgain)
}

func TestResumeRefusesAnotherSearch(t *testing.T) {
	o := newOracle(8, 0.2, 3, 5, 6, 6, 3)
	net := o.tensors(t)
	options := Options{Iterations: 5, LearningRate: 0.3}
	p, err := New(net.layers, options)
	require.NoError(t, err)
	state := p.State()
	for name, change := range map[string]func(*State){
		"another layer":  func(s *State) { s.Layers[1] = "z" },
		"fewer layers":   func(s *State) { s.Layers = s.Layers[:1] },
		"too far":        func(s *State) { s.Iteration = 6 },
		"candidates":     func(s *State) { s.Shares[0] = s.Shares[0][:3] },
		"fewer shares":   func(s *State) { s.Shares = s.Shares[:1] },
		"negative place": func(s *State) { s.Iteration = -1 },
	} {
		changed := p.State()
		change(&changed)
		_, err := Resume(net.layers, options, changed)
		assert.ErrorIs(t, err, ErrOptions, name)
	}
	_, err = Resume(net.layers, options, state)
	assert.NoError(t, err)
}

// Running statistics and temperatures are put back, also after a failure.
func TestAnIterationPutsBackWhatPassesChange(t *testing.T) {
	leaks(t)
	o := newOracle(8, 0.2, 3, 5, 6, 6, 3)
	net := o.tensors(t)
	norm := torch.NewBatchNorm(net.variables.Root().Sub("norm"), 3)
	require.NoError(t, net.variables.Err())
	before := snapshot(t, net.variables)
	plain := net.loss(o)
	fail := 0
	loss := func(s *torch.Scope) Tensor {
		norm.Forward(s, s.Randn(torch.CPU(), 9, 3), torch.Train)
		if fail--; fail == 0 {
			s.Fail(errors.New("out of luck"))
		}
		return plain(s)
	}
	for _, estimate := range []Estimate{Repeat, Direct} {
		for fail = range 8 {
			p, err := New(net.layers, Options{LearningRate: 0.1, Estimate: estimate, Keep: []Tensor{norm.Mean, norm.Variance}})
			require.NoError(t, err)
			if wanted := fail; fail > 0 && (estimate == Repeat || fail < 3) {
				require.ErrorContains(t, p.Step(loss), "out of luck", "%d", wanted)
				assert.Zero(t, p.Iteration())
			} else {
				require.NoError(t, p.Step(loss))
			}
			assert.Equal(t, before, snapshot(t, net.variables))
			for _, l := range net.layers {
				assert.False(t, l.Active())
			}
		}
	}
	_, err := Measure(net.layers, loss, []Tensor{norm.Mean, norm.Variance}, 0)
	require.NoError(t, err)
	assert.Equal(t, before, snapshot(t, net.variables))
}

func TestWrongUseIsAnError(t *testing.T) {
	leaks(t)
	o := newOracle(8, 0.2, 3, 5, 6, 6, 3)
	net := o.tensors(t)
	good := Options{LearningRate: 0.1}
	for name, change := range map[string]func(*Options){
		"candidates are 4":  func(o *Options) { o.Candidates = 4 },
		"candidates are 1":  func(o *Options) { o.Candidates = 1 },
		"delta":             func(o *Options) { o.Delta = -1 },
		"iterations":        func(o *Options) { o.Iterations = -1 },
		"learning rate is":  func(o *Options) { o.LearningRate = 0 },
		"of alpha":          func(o *Options) { o.AlphaRate = math.NaN() },
		"min <= max":        func(o *Options) { o.Min = 7 },
		"clip":              func(o *Options) { o.Clip = math.Inf(1) },
		"estimate":          func(o *Options) { o.Estimate = "guess" },
		"a smaller delta":   func(o *Options) { o.Delta = 2 },
		"epsilon":           func(o *Options) { o.Epsilon = math.NaN() },
		"fewer candidates:": func(o *Options) { o.Candidates = 27 },
	} {
		wrong := good
		change(&wrong)
		_, err := New(net.layers, wrong)
		assert.ErrorIs(t, err, ErrOptions)
		assert.ErrorContains(t, err, name)
	}
	for name, layers := range map[string][]*Layer{
		"no layer":              nil,
		"twice":                 {net.layers[0], net.layers[0]},
		"lacks":                 {{Name: "x"}},
		"no weights of its own": {{Name: "x", Steps: 1, Current: linear, Temperature: net.layers[0].Temperature}},
	} {
		_, err := New(layers, good)
		assert.ErrorIs(t, err, ErrOptions)
		assert.ErrorContains(t, err, name)
	}
	short := &network{layers: net.layers[:1], readout: net.readout, steps: net.steps}
	for _, e := range []Estimate{Repeat, Direct} {
		p, err := New(net.layers, Options{LearningRate: 0.1, Estimate: e})
		require.NoError(t, err)
		assert.ErrorContains(t, p.Step(short.loss(o)), "layer b")
	}
	_, err := Measure(net.layers, short.loss(o), nil, 0)
	assert.ErrorContains(t, err, "layer b")
}

func TestSearchStopsWithItsContext(t *testing.T) {
	l, loss := hill(t, 3)
	ctx, cancel := context.WithCancel(context.Background())
	batches := func(_ context.Context, _ *torch.Scope, i int) (Loss, error) {
		if i == 2 {
			cancel()
		}
		return loss, nil
	}
	_, err := Search(ctx, []*Layer{l}, batches, Options{LearningRate: 0.1})
	assert.ErrorIs(t, err, context.Canceled)
	b, err := l.TemperatureValue()
	require.NoError(t, err)
	assert.Equal(t, 3.0, b)
	failing := func(context.Context, *torch.Scope, int) (Loss, error) { return nil, os.ErrNotExist }
	_, err = Search(context.Background(), []*Layer{l}, failing, Options{LearningRate: 0.1})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// Layers may share tensors: each takes steps in its own rows and channels.
func TestLayersThatShareTensors(t *testing.T) {
	leaks(t)
	o := newOracle(9, 0.2, 3, 5, 6, 3)
	net := o.tensors(t)
	whole := net.layers[0]
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	temperatures := v.Root().Buffer("temperature", torch.Values(2.5, 2.5, 2.5, 2.5, 4, 4), 6)
	require.NoError(t, v.Err())
	var halves []*Layer
	for i, rows := range [][2]int{{0, 4}, {4, 2}} {
		l := &Layer{Name: fmt.Sprint("half", i), Neuron: whole.Neuron, Steps: 3, Current: linear, Temperature: Part{temperatures, rows[0], rows[1]}}
		for _, p := range whole.Parameters {
			l.Parameters = append(l.Parameters, Part{p.Of, rows[0], rows[1]})
		}
		halves = append(halves, l)
	}
	both := func(s *torch.Scope) Tensor { // y = [half0, half1] in place of whole
		in := torch.FromSlice(s, flatten(o.x), int64(o.n*o.steps), 5)
		y := s.Cat([]Tensor{halves[0].Forward(s, in), halves[1].Forward(s, in)}, 1)
		out := s.MeanOver(s.Reshape(linear(s, net.readout, y), 3, int64(o.n), -1), 0)
		return s.Mean(s.Mul(out, out))
	}
	p, err := New(halves, Options{LearningRate: 1, Iterations: 1, Clip: 0.01})
	require.NoError(t, err)
	s := torch.NewScope()
	repeated := p.repeat(s, halves[1], both)
	for i, w := range repeated {
		assert.Equal(t, []int64{2, 5}, s.Shape(w[0]), "candidate %d", i)
	}
	require.NoError(t, s.Close())
	require.NoError(t, p.Step(both))
	results, err := p.Finish()
	require.NoError(t, err)
	have := values(t, temperatures)
	for k := range have {
		want := results[0].After
		if k >= 4 {
			want = results[1].After
		}
		assert.InDelta(t, want, have[k], 1e-6)
	}
	assert.InDelta(t, 4, results[1].Before, 1e-6)
}

func flatten(x [][][]float64) (values []float32) {
	for _, a := range x {
		for _, b := range a {
			for _, v := range b {
				values = append(values, float32(v))
			}
		}
	}
	return values
}
