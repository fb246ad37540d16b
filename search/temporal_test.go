package search

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// temporalVariants are networks whose input has time.
func temporalVariants(t *testing.T) []variant {
	var list []variant
	for _, g := range []genotype.Genotype{wired(t, threeNodes, nil), wired(t, fourNodes, twoNodesTwice)} {
		for _, mixing := range []Mixing{MixSpike, MixMembrane} {
			for _, stem := range []Stem{StemSpike, StemReLU} {
				for _, perStep := range []bool{false, true} {
					o := tinyOptions(0, 1, 2)
					o.Channels, o.Mixing, o.Head, o.Stem, o.PerStepNorm, o.Temporal = 2, mixing, HeadRate, stem, perStep, true
					list = append(list, variant{g, o, 9, 8, 0})
				}
			}
		}
	}
	list[1].options.Head = HeadLIF
	list[2].pad = 2
	return list
}

func (v variant) temporalName() string {
	return fmt.Sprintf("%v per-step norm %v", v, v.options.PerStepNorm)
}

// binaryStacks draws input [N, T, C, H, W] of zeros and ones.
func (v variant) binaryStacks(s *torch.Scope, batch int64) torch.Tensor {
	x := s.Tensor("aten::rand", []int64{batch, int64(v.options.Steps), 2, int64(v.height), int64(v.width)})
	return s.Cast(s.Tensor("aten::gt.Scalar", x, 0.7), torch.Float32)
}

// temporalProgram folds a network with statistics that have moved; binary input is not normalised.
func (v variant) temporalProgram(t *testing.T, s *torch.Scope) (*Network, *graph.Program) {
	t.Helper()
	n := newNetwork(t, v.genotype, v.options)
	unsettle(t, s, n.Variables())
	p, err := n.Program(Input{Height: v.height, Width: v.width, Pad: v.pad, Mean: []float64{0, 0}, Deviation: []float64{1, 1}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return n, p
}

// The order of StepsFirst, element by element.
func TestStepsFirst(t *testing.T) {
	s := begin(t, 800)
	const n, steps, rest = 2, 3, 4
	values := make([]float32, n*steps*rest)
	for i := range values {
		values[i] = float32(i)
	}
	x := graph.TimeFirst(s, torch.FromSlice(s, values, n, steps, 1, 2, 2), steps)
	require.NoError(t, s.Err())
	assert.Equal(t, []int64{n * steps, 1, 2, 2}, s.Shape(x))
	have := read(t, s.Contiguous(x))
	for step := range steps {
		for image := range n {
			for k := range rest {
				assert.Equal(t, values[(image*steps+step)*rest+k], have[(step*n+image)*rest+k])
			}
		}
	}
	for _, shape := range [][]int64{{2, 2, 1, 2, 2}, {6, 1, 2, 2}} {
		c := torch.NewInference()
		assert.False(t, torch.Defined(graph.TimeFirst(c, c.Zeros(torch.CPU(), shape...), steps)))
		assert.ErrorIs(t, c.Err(), graph.ErrInput)
		assert.Error(t, c.Close())
	}
}

// The stem of another image each step, step by step: convolution, normalisation
// over all steps or each alone, and the recurrence of eq. 1 in float64.
func TestTemporalStem(t *testing.T) {
	for _, perStep := range []bool{false, true} {
		s := begin(t, 810)
		o := tinyOptions(0)
		o.Channels, o.PerStepNorm, o.Temporal = 2, perStep, true
		v := torch.NewVariables(torch.CPU())
		st := newStem(v.Root(), 4, &o)
		require.NoError(t, v.Err())
		unsettle(t, s, v)
		const n = 3
		x := s.Randn(torch.CPU(), int64(o.Steps*n), 2, 5, 6)
		mean, variance := s.Clone(st[0].norm.Mean), s.Clone(st[0].norm.Variance)
		y := s.Tensor("aten::conv2d", x, st[0].conv.Weight, st[0].conv.Bias, []int64{1, 1}, []int64{1, 1})
		normal := func(y torch.Tensor) torch.Tensor {
			return s.Tensor("aten::batch_norm", y, st[0].norm.Weight, st[0].norm.Bias, mean, variance, true, 0.1, 1e-5, false)
		}
		if perStep {
			var parts []torch.Tensor
			for step := range o.Steps {
				parts = append(parts, normal(s.Narrow(y, 0, step*n, n)))
			}
			y = s.Cat(parts, 0)
		} else {
			y = normal(y)
		}
		current := read(t, s.Contiguous(y))
		have := st.forward(Pass{Scope: s, Mode: torch.Train}, x, &o)
		spikes := read(t, s.Contiguous(have))
		require.NoError(t, s.Err())
		requireSomeSpikes(t, have)
		size := len(current) / o.Steps
		for i := range size {
			membrane := 0.0
			for step := range o.Steps {
				membrane = o.Neuron.Tau*membrane + float64(current[step*size+i])
				if d := membrane - o.Neuron.Threshold; d > 1e-4 || d < -1e-4 {
					require.Equal(t, d > 0, spikes[step*size+i] == 1, "step %d, element %d", step, i)
				}
				if spikes[step*size+i] == 1 {
					membrane = 0
				}
			}
		}
		requireClose(t, mean, st[0].norm.Mean, "running mean")
		require.NoError(t, v.Close())
	}
}

// The same image at every step gives what a network without time gives. In
// training, statistics are sums in another order: where a membrane lies that close
// to the threshold a spike may differ, and with it all that follows.
func TestTemporalOfAStillImage(t *testing.T) {
	s := begin(t, 820)
	compared, agree := 0, 0
	for _, v := range temporalVariants(t) {
		if v.options.PerStepNorm {
			continue // a network without time has no such stem
		}
		v.options.Auxiliary = true
		n := newNetwork(t, v.genotype, v.options)
		still := v.options
		still.Temporal = false
		m := newNetwork(t, v.genotype, still)
		c := s.WithoutGradient()
		for _, x := range m.Variables().All() {
			from, ok := n.Variables().Lookup(x.Name)
			require.True(t, ok)
			c.CopyTo(x.Value, from.Value)
		}
		require.NoError(t, c.Close())
		image := s.Randn(torch.CPU(), 4, 2, int64(v.height), int64(v.width))
		stack := s.RepeatFirst(image, v.options.Steps)
		want, have := m.Forward(Pass{Scope: s, Mode: torch.Evaluate}, image), n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, stack)
		require.NoError(t, s.Err())
		requireClose(t, want.Logits, have.Logits, v.temporalName())

		want, have = m.Forward(Pass{Scope: s, Mode: torch.Train}, image), n.Forward(Pass{Scope: s, Mode: torch.Train}, stack)
		require.NoError(t, s.Err())
		compared++
		if !within(read(t, want.Logits), read(t, have.Logits), 1e-4) {
			continue
		}
		agree++
		weights := s.Randn(torch.CPU(), s.Shape(want.Logits)...)
		first, second := m.Variables().Parameters()[:1], n.Variables().Parameters()[:1]
		requireWithin(t, 1e-3, s.GradientOf(weigh(s, want.Logits, weights), torch.Tensors(first))[0],
			s.GradientOf(weigh(s, have.Logits, weights), torch.Tensors(second))[0], "gradient of "+first[0].Name)
	}
	assert.GreaterOrEqual(t, 4*agree, 3*compared, "of %d networks", compared)
}

// A supernet sees the order of its input: other steps, other logits.
func TestTemporalSupernet(t *testing.T) {
	s := begin(t, 830)
	o := tinyOptions(0, 1)
	o.Channels, o.Temporal = 2, true
	n := newSupernet(t, 2, genotype.DownsampleNearest, o)
	x := s.Randn(torch.CPU(), 3*4, 2, 8, 8)
	turned := s.Cat([]torch.Tensor{s.Narrow(x, 0, 8, 4), s.Narrow(x, 0, 4, 4), s.Narrow(x, 0, 0, 4)}, 0)
	a, b := n.Forward(Pass{Scope: s, Mode: torch.Train}, x).Logits, n.Forward(Pass{Scope: s, Mode: torch.Train}, turned).Logits
	require.NoError(t, s.Err())
	assert.Equal(t, []int64{4, 3}, s.Shape(a))
	assert.NotEqual(t, read(t, a), read(t, b))
}

// The network, its program, the program from its description, the script, and
// the event-driven form.
func TestTemporalProgram(t *testing.T) {
	images, same := 0, 0
	for i, v := range temporalVariants(t) {
		t.Run(v.temporalName(), func(t *testing.T) {
			s := begin(t, uint64(840+i))
			n, p := v.temporalProgram(t, s)
			require.True(t, p.Temporal())
			require.Equal(t, v.options.Stem == StemSpike && torch.CPUKernels("events"), p.EventDriven())
			script, _ := scripted(t, p, nil)
			defer script.Close()
			text, err := p.Description()
			require.NoError(t, err)
			q, err := graph.Load(text, named(p))
			require.NoError(t, err)
			defer q.Close()
			require.True(t, q.Temporal())

			x := v.binaryStacks(s, 5)
			logits := p.Run(s, x)
			require.NoError(t, s.Err())
			assert.Equal(t, read(t, logits), read(t, script.Forward(s, x)), "script")
			assert.Equal(t, read(t, logits), read(t, q.Run(s, x)), "from its description")
			assert.Equal(t, read(t, p.RunFast(s, x)), read(t, q.RunFast(s, x)), "event-driven, from its description")
			pad := int64(v.pad)
			plain := s.Tensor("aten::constant_pad_nd", graph.TimeFirst(s, x, v.options.Steps), []int64{pad, pad, pad, pad}, 0.0)
			out := n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, plain)
			require.NoError(t, s.Err())
			requireWithin(t, 1e-4, out.Logits, logits, "unfolded network")
			a, b := read(t, logits), read(t, p.RunFast(s, x))
			for k := 0; k < len(a); k += 3 {
				images++
				if within(a[k:k+3], b[k:k+3], 1e-4) {
					same++
				}
			}
			together := read(t, p.RunFast(s, x))
			for k := range 5 {
				alone := read(t, p.RunFast(s, s.Narrow(x, 0, k, 1)))
				if p.EventDriven() {
					assert.Equal(t, together[3*k:3*k+3], alone, "alone")
				} else { // the plain list: libtorch may choose other algorithms
					assert.InDeltaSlice(t, together[3*k:3*k+3], alone, 1e-5, "alone")
				}
			}
			require.NoError(t, s.Err())

			half := runHalf(p, s, x)
			require.NoError(t, s.Err())
			assert.Equal(t, []int64{5, 3}, s.Shape(half))

			wrong := s.Narrow(x, 1, 0, 2)
			for _, run := range []func(*torch.Scope, ...torch.Tensor) torch.Tensor{p.Run, p.RunFast, script.Forward} {
				c := torch.NewInference()
				run(c, wrong)
				assert.Error(t, c.Err(), "two steps of three")
				_ = c.Close()
			}
		})
	}
	assert.GreaterOrEqual(t, float64(same), 0.95*float64(images), "of %d stacks", images)
}

// Weights that are multiples of 1/64 make every sum exact.
func TestTemporalEventDrivenFormIsExactOnCoarseWeights(t *testing.T) {
	for i, v := range temporalVariants(t) {
		if v.options.Stem == StemReLU {
			continue
		}
		s := begin(t, uint64(870+i))
		_, p := v.temporalProgram(t, s)
		for _, c := range p.Constants() {
			s.CopyTo(c.Value, s.Scale(s.Tensor("aten::round", s.Scale(c.Value, 64)), 1.0/64))
		}
		x := v.binaryStacks(s, 4)
		// A spike more or less moves a logit by some 1e-5 at least; the classifier
		// rounds its rates row by row in one form and together in the other.
		assert.InDeltaSlice(t, read(t, p.Run(s, x)), read(t, p.RunFast(s, x)), 2e-6)
		require.NoError(t, s.Err())
		before := torch.LiveTensors()
		c := s.Child()
		p.RunFast(c, x)
		require.NoError(t, c.Close())
		assert.Equal(t, before, torch.LiveTensors())
	}
}

func TestTemporalStemIsCountedAtEveryStep(t *testing.T) {
	v := temporalVariants(t)[0]
	n := newNetwork(t, v.genotype, v.options)
	assert.False(t, n.Layers(9, 8)[0].Once)
	v.options.Temporal = false
	assert.True(t, newNetwork(t, v.genotype, v.options).Layers(9, 8)[0].Once)
}
