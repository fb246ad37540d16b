package search

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/torch"
)

func layerNames(t *testing.T, n *Network, patterns ...string) string {
	t.Helper()
	list, err := n.SpikingLayers(patterns...)
	require.NoError(t, err)
	var names []string
	for _, l := range list {
		names = append(names, l.Name)
	}
	return strings.Join(names, " ")
}

func TestNamesOfSpikingLayers(t *testing.T) {
	begin(t, 90)
	o := tinyOptions(0, 1)
	n := newNetwork(t, wired(t, threeNodes, nil), o)
	assert.Equal(t, "stem0 cell0.node0 cell0.node1 cell0.node2 cell1.node0 cell1.node1 cell1.node2", layerNames(t, n))
	assert.Equal(t, "cell1.node0 cell1.node1 cell1.node2", layerNames(t, n, "cell1"))
	assert.Equal(t, "stem0 cell0.node2 cell1.node2", layerNames(t, n, "*.node2", "stem0"))
	_, err := n.SpikingLayers("cell2")
	assert.ErrorIs(t, err, dgs.ErrUnknownLayer)
	assert.ErrorContains(t, err, "cell1.node2")

	// Two identities lead to the last node: it has no weights.
	identities := wired(t, [][2]int{{0, 1}, {1, 2}, {2, 1}, {3, 1}, {7, 0}, {8, 0}}, nil)
	o.Stem = StemReLU
	assert.Equal(t, "cell0.node0 cell0.node1 cell1.node0 cell1.node1", layerNames(t, newNetwork(t, identities, o)))

	o.Mixing = MixSpike
	n = newNetwork(t, wired(t, twoNodes, nil), o)
	assert.Equal(t, "cell0.node0.s0 cell0.node0.s1 cell0.node1.s0", layerNames(t, n, "cell0"))
	b, err := n.byName(t, "cell0.node1.s0").TemperatureValue()
	require.NoError(t, err)
	assert.Equal(t, 5.0, b, "that of its operation")
}

func (n *Network) byName(t *testing.T, name string) *dgs.Layer {
	t.Helper()
	list, err := n.SpikingLayers(name)
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

// searchCases runs a test on networks of all kinds with each choice of layers.
func searchCases(t *testing.T, run func(t *testing.T, s *torch.Scope, n *Network, layers []*dgs.Layer, loss dgs.Loss)) {
	for _, reduction := range []bool{false, true} {
		for _, mixing := range []Mixing{MixMembrane, MixSpike} {
			for _, perStep := range []bool{false, true} {
				for _, pattern := range []string{"stem0", "cell1", "cell0.node1", "*"} {
					t.Run(fmt.Sprint(reduction, " ", mixing, " ", perStep, " ", pattern), func(t *testing.T) {
						s := begin(t, 91)
						o := tinyOptions(0, 1, 1)
						o.Mixing, o.PerStepNorm, o.Head, o.Width = mixing, perStep, HeadRate, 5
						g := wired(t, threeNodes, nil)
						if reduction {
							g = wired(t, threeNodes, threeNodes)
						}
						n := newNetwork(t, g, o)
						unsettle(t, s, n.Variables())
						layers, err := n.SpikingLayers(pattern)
						require.NoError(t, err)
						images, labels := labelled(s)
						run(t, s, n, layers, func(s *torch.Scope) torch.Tensor {
							return s.CrossEntropy(n.Forward(Pass{Scope: s, Mode: torch.Train}, images).Logits, labels)
						})
					})
				}
			}
		}
	}
}

// A layer that a search holds computes what it computes as a part of its cell: loss,
// and the gradient of every parameter.
func TestHeldLayersComputeWhatTheirCellsDo(t *testing.T) {
	searchCases(t, func(t *testing.T, s *torch.Scope, n *Network, layers []*dgs.Layer, loss dgs.Loss) {
		of := n.Variables().Parameters()
		plain := loss(s)
		want := s.Item(plain)
		gradients := s.GradientOf(plain, torch.Tensors(of))
		_, err := dgs.Measure(layers, func(c *torch.Scope) torch.Tensor {
			held := loss(c)
			assert.InDelta(t, want, c.Item(held), 1e-5)
			requireSameGradients(t, of, gradients, s.GradientOf(held, torch.Tensors(of)))
			return loss(c)
		}, n.Buffers(), 0)
		require.NoError(t, err)
		require.NoError(t, s.Err())
	})
}

// A search with steps too small to change a weight mixes equal weights: the loss is
// that of the ordinary pass. It leaves the network as it was.
func TestAMixtureOfEqualWeightsIsTheNetwork(t *testing.T) {
	searchCases(t, func(t *testing.T, s *torch.Scope, n *Network, layers []*dgs.Layer, loss dgs.Loss) {
		before := buffersOf(t, n)
		p, err := dgs.New(layers, dgs.Options{LearningRate: 1e-30, Iterations: 1, Keep: n.Buffers()})
		require.NoError(t, err)
		var seen []float64
		require.NoError(t, p.Step(func(c *torch.Scope) torch.Tensor {
			x := loss(c)
			seen = append(seen, c.Item(x))
			return x
		}))
		require.Len(t, seen, 2)
		assert.InDelta(t, seen[0], seen[1], 1e-5)
		assert.Equal(t, before, buffersOf(t, n))
		assert.InDelta(t, s.Item(loss(s)), seen[1], 1e-5)
	})
}

func buffersOf(t *testing.T, n *Network) [][]float32 {
	t.Helper()
	var list [][]float32
	for _, x := range n.Variables().All() {
		list = append(list, read(t, x.Value))
	}
	return list
}

// In a whole network too, the direct estimate is the repeated one.
func TestDirectEqualsRepeatInANetwork(t *testing.T) {
	searchCases(t, func(t *testing.T, s *torch.Scope, n *Network, layers []*dgs.Layer, loss dgs.Loss) {
		var found [2][][]float64
		for i, e := range []dgs.Estimate{dgs.Repeat, dgs.Direct} {
			p, err := dgs.New(layers, dgs.Options{LearningRate: 1, Iterations: 1, Estimate: e, Clip: 5, Keep: n.Buffers()})
			require.NoError(t, err)
			require.NoError(t, p.Step(loss))
			found[i] = p.Alphas()
		}
		close, all := 0, 0
		for k := range layers {
			for i := range found[0][k] {
				if diff := found[0][k][i] - found[1][k][i]; diff < 5e-4 && diff > -5e-4 {
					close++
				}
				all++
			}
		}
		// A step of Adam is the sign of a gradient. Where that is nothing but rounding,
		// its sign is free.
		assert.GreaterOrEqual(t, close*10, all*9, "%d of %d", close, all)
	})
}

// Choosing a temperature reaches the neurons: of one operation alone where it has
// its own.
func TestFinishMovesTheNeurons(t *testing.T) {
	for _, mixing := range []Mixing{MixMembrane, MixSpike} {
		s := begin(t, 92)
		o := tinyOptions(0)
		o.Mixing, o.Width = mixing, 4
		n := newNetwork(t, wired(t, threeNodes, nil), o)
		images, labels := labelled(s)
		layers, err := n.SpikingLayers("cell0.node0")
		require.NoError(t, err)
		others, err := n.SpikingLayers("stem0", "cell0.node[12]")
		require.NoError(t, err)
		temperatures := func(list []*dgs.Layer) (all []float64) {
			for _, l := range list {
				b, err := l.TemperatureValue()
				require.NoError(t, err)
				all = append(all, b)
			}
			return all
		}
		before := temperatures(others)
		p, err := dgs.New(layers, dgs.Options{LearningRate: 0.5, Iterations: 3, Keep: n.Buffers()})
		require.NoError(t, err)
		for !p.Done() {
			require.NoError(t, p.Step(func(c *torch.Scope) torch.Tensor {
				return c.CrossEntropy(n.Forward(Pass{Scope: c, Mode: torch.Train}, images).Logits, labels)
			}))
		}
		results, err := p.Finish()
		require.NoError(t, err)
		for i, r := range results {
			assert.InDelta(t, min(r.Temperatures[r.Chosen], 6), temperatures(layers)[i], 1e-5)
		}
		assert.Equal(t, before, temperatures(others))
	}
}

// In bfloat16 the candidates' currents are mixed in 32 bits, and what follows reads
// what it always does.
func TestSearchInBFloat16(t *testing.T) {
	for _, mixing := range []Mixing{MixMembrane, MixSpike} {
		s := begin(t, 93)
		o := tinyOptions(0, 1)
		o.Mixing, o.Precision, o.Head, o.Width = mixing, BFloat16, HeadRate, 8
		n := newNetwork(t, wired(t, threeNodes, nil), o)
		images, labels := labelled(s)
		layers, err := n.SpikingLayers("*")
		require.NoError(t, err)
		for _, e := range []dgs.Estimate{dgs.Repeat, dgs.Direct} {
			p, err := dgs.New(layers, dgs.Options{LearningRate: 0.1, Iterations: 1, Estimate: e, Keep: n.Buffers()})
			require.NoError(t, err)
			require.NoError(t, p.Step(func(c *torch.Scope) torch.Tensor {
				return c.CrossEntropy(n.Forward(Pass{Scope: c, Mode: torch.Train}, images).Logits, labels)
			}))
			for _, alphas := range p.Alphas() {
				assert.NotEqual(t, alphas[0], alphas[4], "the outer candidates differ")
			}
		}
	}
}
