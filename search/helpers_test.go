package search

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

var begin, read, unsettle = torchtest.Begin, torchtest.Read[float32], torchtest.Unsettle

// tinyOptions is a network of one channel and a few neurons. The surrogate
// gradient jumps where a membrane is Vth +- 0.5. With Vth = 0.5 that is where all
// operations of one edge fire and nothing else, so that rounding would decide;
// with 0.45 it is nowhere in particular.
func tinyOptions(levels ...int) Options {
	return Options{
		Channels: 1, Classes: 3, Width: 2, Levels: levels, Steps: 3,
		Neuron: spike.LIF{Tau: 0.2, Threshold: 0.45}, Temperature: 3,
		Mixing: MixMembrane, Head: HeadLIF, Stem: StemSpike, AlphaDeviation: 0.7,
	}
}

// wired returns a genotype of cells given as rows of [edge, op]; nil reduction
// rows down-sample by nearest interpolation.
func wired(t *testing.T, normal, reduction [][2]int) genotype.Genotype {
	t.Helper()
	cell, err := genotype.NewCell(normal)
	require.NoError(t, err)
	var second *genotype.Cell
	if reduction != nil {
		c, err := genotype.NewCell(reduction)
		require.NoError(t, err)
		second = &c
	}
	g, err := genotype.New("of a test", cell, second)
	require.NoError(t, err)
	return g
}

// Cells with every kind of edge: skips from inputs and nodes, both convolutions.
var (
	twoNodes   = [][2]int{{0, 1}, {1, 0}, {4, 0}, {2, 2}}
	threeNodes = [][2]int{{1, 2}, {0, 0}, {4, 0}, {3, 1}, {8, 1}, {7, 0}}
	fourNodes  = [][2]int{{1, 1}, {0, 1}, {4, 2}, {2, 0}, {7, 0}, {8, 2}, {13, 0}, {11, 1}}
)

func newNetwork(t *testing.T, g genotype.Genotype, o Options) *Network {
	t.Helper()
	n, err := NewNetwork(torch.CPU(), g, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

func newSupernet(t *testing.T, nodes int, d genotype.Downsample, o Options) *Supernet {
	t.Helper()
	n, err := NewSupernet(torch.CPU(), nodes, d, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// spikesLike draws zeros and ones that require a gradient.
func spikesLike(t *testing.T, s *torch.Scope, shape ...int64) torch.Tensor {
	t.Helper()
	c := s.WithoutGradient()
	defer c.Close()
	x := c.Cast(c.Tensor("aten::gt.Scalar", c.Randn(torch.CPU(), shape...), 0.3), torch.Float32)
	require.NoError(t, c.Err())
	require.NoError(t, torch.RequireGradient(x, true))
	return c.Return(x)
}

// requireClose compares tensors within 1e-5 of their largest value.
func requireClose(t *testing.T, want, have torch.Tensor, what string) {
	t.Helper()
	requireWithin(t, 1e-5, want, have, what)
}

func requireWithin(t *testing.T, tolerance float64, want, have torch.Tensor, what string) {
	t.Helper()
	require.True(t, torch.Defined(want), "%s: expected", what)
	require.True(t, torch.Defined(have), what)
	wantShape, err := torch.Shape(want)
	require.NoError(t, err, what)
	haveShape, err := torch.Shape(have)
	require.NoError(t, err, what)
	require.Equal(t, wantShape, haveShape, what)
	a, b := read(t, want), read(t, have)
	largest := 1.0
	for _, x := range a {
		largest = max(largest, math.Abs(float64(x)))
	}
	for i := range a {
		if !(math.Abs(float64(a[i])-float64(b[i])) <= tolerance*largest) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, b[i], a[i])
		}
	}
}

// requireSameGradients compares gradients of variables.
func requireSameGradients(t *testing.T, of []torch.Variable, want, have []torch.Tensor) {
	t.Helper()
	require.Len(t, want, len(of))
	require.Len(t, have, len(of))
	for i, x := range of {
		tolerance := 1e-5
		if strings.HasSuffix(x.Name, "conv.bias") {
			tolerance = 2e-4 // zero before a normalisation: only rounding is left, up to 1.2e-4 in libtorch's order for AVX2
		}
		requireWithin(t, tolerance, want[i], have[i], "gradient of "+x.Name)
	}
}

// requireSomeSpikes makes sure that a comparison of spikes says something.
func requireSomeSpikes(t *testing.T, x torch.Tensor) {
	t.Helper()
	values := read(t, x)
	sum := 0.0
	for _, v := range values {
		require.True(t, v == 0 || v == 1, "a spike is %v", v)
		sum += float64(v)
	}
	rate := sum / float64(len(values))
	require.Greater(t, rate, 0.02)
	require.Less(t, rate, 0.98)
}

// wideOf are the wide convolutions of a cell.
func wideOf(c *Cell) map[string]*ConvBlock {
	wide := map[string]*ConvBlock{}
	for _, n := range c.layers.Nodes() {
		if o, ok := n.Op.(convOp); ok {
			wide[n.Name] = o.ConvBlock
		}
	}
	return wide
}

// forward runs a stem.
func (t stem) forward(p Pass, images torch.Tensor, o *Options) torch.Tensor {
	g := &graph.Graph{}
	g.Result(t.wire(g, graph.Input(0), o))
	return g.Forward(p.Scope, &p, o.Steps, images)[0]
}

// weigh is a loss with a gradient of its own for every element of y.
func weigh(s *torch.Scope, y, weights torch.Tensor) torch.Tensor { return s.Sum(s.Mul(y, weights)) }

// needKernels skips a test of a family of CPU kernels where this build has none.
func needKernels(t *testing.T, family string) {
	t.Helper()
	if !torch.CPUKernels(family) {
		t.Skipf("this build, or this CPU, has no kernels of the family %s", family)
	}
}
