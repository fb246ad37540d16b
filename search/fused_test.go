package search

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// trained is what one training pass of a network gives.
type trained struct {
	logits    torch.Tensor
	gradients []torch.Tensor
	of        []torch.Variable // parameters, then buffers, after the pass
	buffers   [][]float32
}

// pass runs a network of options o with the same weights and images each time.
func pass(t *testing.T, s *torch.Scope, super bool, d genotype.Downsample, o Options) trained {
	t.Helper()
	require.NoError(t, torch.Seed(77))
	var variables []*torch.Variables
	var forward func(Pass, torch.Tensor) Output
	if super {
		n := newSupernet(t, 3, d, o)
		variables, forward = []*torch.Variables{n.Weights(), n.Architecture()}, n.Forward
	} else {
		g := wired(t, threeNodes, threeNodes)
		if d == genotype.DownsampleNearest {
			g = wired(t, threeNodes, nil)
		}
		n := newNetwork(t, g, o)
		variables, forward = []*torch.Variables{n.Variables()}, n.Forward
	}
	unsettle(t, s, variables[0])
	images, labels := labelled(s)
	tape := NewTape(s)
	out := forward(Pass{Scope: s, Mode: torch.Train, Tape: tape}, images)
	r := trained{logits: out.Logits}
	for _, v := range variables {
		r.of = append(r.of, v.Parameters()...)
	}
	loss := s.CrossEntropy(out.Logits, labels)
	if torch.Defined(out.Auxiliary) {
		loss = s.Add(loss, s.CrossEntropy(out.Auxiliary, labels))
	}
	r.gradients = tape.GradientOf(s, loss, torch.Tensors(r.of))
	require.NoError(t, s.Err())
	for _, v := range variables {
		for _, x := range v.All() {
			r.buffers = append(r.buffers, read(t, x.Value))
		}
	}
	return r
}

func each(t *testing.T, run func(t *testing.T, super bool, d genotype.Downsample, o Options)) {
	for _, super := range []bool{false, true} {
		for _, d := range []genotype.Downsample{genotype.DownsampleReduction, genotype.DownsampleNearest} {
			for _, mixing := range []Mixing{MixSpike, MixMembrane} {
				for _, perStep := range []bool{false, true} {
					o := tinyOptions(0, 1, 1)
					// The rate head passes gradients to every pixel; 5 channels are no
					// multiple of a vector.
					o.Mixing, o.PerStepNorm, o.Head, o.Width = mixing, perStep, HeadRate, 5
					t.Run(fmt.Sprint("supernet=", super, " ", d, " ", mixing, " per-step=", perStep), func(t *testing.T) {
						run(t, super, d, o)
					})
				}
			}
		}
	}
}

// One operator a cell computes what the layers compute one by one: logits,
// running statistics, and every gradient.
func TestFusedCellsEqualLayers(t *testing.T) {
	needKernels(t, "cell")
	each(t, func(t *testing.T, super bool, d genotype.Downsample, o Options) {
		s := begin(t, 71)
		fused := pass(t, s, super, d, o)
		o.Unfused = true
		layers := pass(t, s, super, d, o)
		requireSamePass(t, layers, fused)
	})
}

// requireSamePass compares logits, every gradient and the variables after the pass.
func requireSamePass(t *testing.T, want, have trained) {
	t.Helper()
	requireClose(t, want.logits, have.logits, "logits")
	requireSameGradients(t, want.of, want.gradients, have.gradients)
	require.Len(t, have.buffers, len(want.buffers))
	for i := range want.buffers {
		assert.InDeltaSlice(t, want.buffers[i], have.buffers[i], 1e-5)
	}
}

// So it does for every family of surrogates; computed again, to the bit.
func TestFusedCellsEqualLayersForEveryFamily(t *testing.T) {
	needKernels(t, "cell")
	bell, err := spike.Register("bell-of-fused", func(x, b float64) float64 { return b / (1 + b) * math.Exp(-b*b*x*x/2) })
	require.NoError(t, err)
	for _, family := range spike.Families() {
		for _, super := range []bool{false, true} {
			for _, mixing := range []Mixing{MixSpike, MixMembrane} {
				t.Run(fmt.Sprint(family, " supernet=", super, " ", mixing), func(t *testing.T) {
					s := begin(t, 76)
					o := tinyOptions(0, 1)
					o.Mixing, o.Head, o.Width, o.Neuron.Surrogate = mixing, HeadRate, 5, family
					fused := pass(t, s, super, genotype.DownsampleReduction, o)
					o.Recompute = true
					again := pass(t, s, super, genotype.DownsampleReduction, o)
					o.Unfused = true
					layers := pass(t, s, super, genotype.DownsampleReduction, o)
					requireClose(t, layers.logits, fused.logits, "logits")
					requireSameGradients(t, layers.of, layers.gradients, fused.gradients)
					for i := range fused.gradients {
						assert.Equal(t, read(t, fused.gradients[i]), read(t, again.gradients[i]), fused.of[i].Name)
					}
					if family == bell {
						return
					}
					// A family of its own, not another one's.
					o.Neuron.Surrogate = bell
					other := pass(t, s, super, genotype.DownsampleReduction, o)
					same := true
					for i := range other.gradients {
						same = same && assert.ObjectsAreEqual(read(t, layers.gradients[i]), read(t, other.gradients[i]))
					}
					assert.False(t, same, "the gradients do not depend on the family")
				})
			}
		}
	}
}

func TestOptionsRefuseAnUnknownFamily(t *testing.T) {
	o := tinyOptions(0)
	o.Neuron.Surrogate = "go:missing"
	err := o.Validate()
	require.ErrorIs(t, err, ErrOptions)
	require.ErrorIs(t, err, spike.ErrSurrogate)
	assert.ErrorContains(t, err, "want dspike, triangular, superspike, arctan, rectangular, exponential")
}

// Computing the inside of a cell again gives the same bits and moves the running
// statistics once.
func TestRecomputedCellsAreTheSameToTheBit(t *testing.T) {
	needKernels(t, "cell")
	each(t, func(t *testing.T, super bool, d genotype.Downsample, o Options) {
		for _, precision := range []Precision{Float32, BFloat16} {
			o.Precision = precision
			requireSameAgain(t, begin(t, 72), super, d, o, func(x torch.Variable) bool {
				// Not in a cell: libtorch adds the steps' gradients in an order of its own.
				return o.PerStepNorm && strings.HasPrefix(x.Name, "head.")
			})
		}
	})
}

// operator is that of a cell.
func operator(t *testing.T, c *Cell) *fusedOp {
	t.Helper()
	nodes := c.fused.Nodes()
	return nodes[len(nodes)-1].Op.(fusedCell).fusedOp
}

// outputOf trains the first cell of a network on fixed spikes and gives its
// output and running statistics.
func outputOf(t *testing.T, s *torch.Scope, o Options) (spikes []float32, buffers [][]float32) {
	t.Helper()
	require.NoError(t, torch.Seed(78))
	n := newNetwork(t, wired(t, threeNodes, nil), o)
	unsettle(t, s, n.Variables())
	stem := int64(3 * o.Width)
	x := spikesLike(t, s, 24, stem, 20, 19) // more than one chunk of work
	y := s.Cast(operator(t, n.cells[0]).forward(s, x, x, torch.Tensor{}), torch.Float32)
	require.NoError(t, s.Err())
	requireSomeSpikes(t, y)
	for _, b := range operator(t, n.cells[0]).buffers {
		buffers = append(buffers, read(t, b))
	}
	return read(t, y), buffers
}

// The sums over pixels are cut alike for any number of threads.
func TestFusedCellsDoNotDependOnThreads(t *testing.T) {
	needKernels(t, "cell")
	defer func() { require.NoError(t, torch.SetThreads(1)) }()
	for _, mixing := range []Mixing{MixSpike, MixMembrane} {
		s := begin(t, 73)
		o := tinyOptions(0)
		o.Mixing, o.Width = mixing, 8
		spikes, buffers := outputOf(t, s, o)
		require.NoError(t, torch.SetThreads(3))
		again, buffersAgain := outputOf(t, s, o)
		require.NoError(t, torch.SetThreads(1))
		assert.Equal(t, spikes, again)
		assert.Equal(t, buffers, buffersAgain)
	}
}

// A bfloat16 cell is a float32 cell on rounded currents: most spikes agree.
func TestFusedBFloat16IsCloseToFloat32(t *testing.T) {
	needKernels(t, "cell")
	for _, mixing := range []Mixing{MixSpike, MixMembrane} {
		s := begin(t, 74)
		o := tinyOptions(0)
		o.Mixing, o.Width = mixing, 16
		wide, _ := outputOf(t, s, o)
		o.Precision = BFloat16
		half, _ := outputOf(t, s, o)
		other := 0
		for i := range wide {
			if wide[i] != half[i] {
				other++
			}
		}
		assert.Positive(t, other)
		assert.Less(t, other, len(wide)/50)
	}
}

// Wrong plans and shapes are errors, not crashes.
func TestFusedCellChecksItsInput(t *testing.T) {
	needKernels(t, "cell")
	s := begin(t, 75)
	o := tinyOptions(0)
	n := newNetwork(t, wired(t, twoNodes, nil), o)
	c := operator(t, n.cells[0])
	x := s.Randn(torch.CPU(), 6, 4, 5, 5)
	for name, broken := range map[string]fusedOp{
		"ends too early":        {name: c.name, options: c.options, plan: c.plan[:4], parameters: c.parameters, buffers: c.buffers},
		"do not fit a plan":     {name: c.name, options: c.options, plan: c.plan, parameters: c.parameters[:2], buffers: c.buffers},
		"must be [steps*N":      {name: c.name, options: c.options, plan: append([]int64{c.plan[0], c.plan[1], 4}, c.plan[3:]...), parameters: c.parameters, buffers: c.buffers},
		"must be positive":      {name: c.name, options: c.options, plan: append([]int64{0}, c.plan[1:]...), parameters: c.parameters, buffers: c.buffers},
		"must be float32 with ": {name: c.name, options: c.options, plan: append([]int64{c.plan[0], 3}, c.plan[2:]...), parameters: c.parameters, buffers: c.buffers},
	} {
		inner := torch.NewScope()
		broken.forward(inner, x, x, torch.Tensor{})
		assert.ErrorContains(t, inner.Close(), name)
	}
}
