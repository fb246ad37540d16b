package stereo

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// count adds up the parameters below a path of the network.
func count(t *testing.T, n *Network, path string) int64 {
	t.Helper()
	var total int64
	for _, v := range n.Variables().Parameters() {
		if !strings.HasPrefix(v.Name, path+".") {
			continue
		}
		shape, err := torch.Shape(v.Value)
		require.NoError(t, err)
		size := int64(1)
		for _, x := range shape {
			size *= x
		}
		total += size
	}
	return total
}

// The published size, 0.87 M parameters, part by part.
func TestParameterCounts(t *testing.T) {
	begin(t, 1)
	rows := map[string]int64{
		"feature.stem": 8496, "feature.cells.0": 18720, "feature.cells.1": 11664, "feature.last_3": 576,
		"matching.stem": 46800, "matching.cells.0": 55584, "matching.cells.1": 201024, "matching.cells.2": 346176,
		"matching.cells.3": 180000, "matching.tail.last_6": 1200, "matching.last_3": 648,
	}
	for stems, want := range map[Stems]int64{StemsB: 865632, StemsA: 868800, StemsL: 870888} {
		t.Run(string(stems), func(t *testing.T) {
			n := newNetwork(t, Options{Stems: stems})
			have, err := n.Parameters()
			require.NoError(t, err)
			assert.Equal(t, want, have)
			for name, parameters := range rows {
				if name == "feature.stem" {
					parameters -= 870888 - want // the variants differ in the stems alone
				}
				assert.Equal(t, parameters, count(t, n, name), name)
			}
		})
	}
}

// The sizes of all levels for a full frame and for the crop of training.
func TestGrids(t *testing.T) {
	o := Options{}.WithDefaults()
	assert.Equal(t, 21, o.Planes())
	assert.Equal(t, 32, o.Bins())
	o.MaxDisparity = 21
	assert.Equal(t, 7, o.Planes())
	assert.Equal(t, 11, o.Bins())
}

// features are the level-0 spikes of both views.
func features(t *testing.T, n *Network, p search.Pass, left, right torch.Tensor, steps int) (fl, fr torch.Tensor) {
	t.Helper()
	g := *n.graph
	for i, node := range g.Nodes() {
		if node.Name == "feature.last" {
			g.Result(graph.Value(i))
		}
	}
	results := g.Forward(p.Scope, &p, steps, left, right)
	require.Len(t, results, 2)
	return graph.ApartViews(p.Scope, results[1], steps)
}

// Features really have the sizes of Grids, and the cost has that of the input.
func TestForwardShapes(t *testing.T) {
	s := begin(t, 2)
	for _, size := range [][2]int64{{260, 346}, {200, 280}} {
		o := Options{Width: 2, Steps: 1}
		n := newNetwork(t, o)
		left, right := stacks(t, s, 1, size[0], size[1])
		p := search.Pass{Scope: s.WithoutGradient()}
		grids := graph.Grids(21, int(size[0]), int(size[1]))
		fl, fr := features(t, n, p, left, right, 1)
		assert.Equal(t, []int64{1, 6, int64(grids[0].Height), int64(grids[0].Width)}, p.Scope.Shape(fl))
		assert.Equal(t, p.Scope.Shape(fl), p.Scope.Shape(fr))
		cost := n.Forward(p, left, right)
		assert.Equal(t, []int64{1, 32, size[0], size[1]}, p.Scope.Shape(cost))
		require.NoError(t, p.Scope.Close())
	}
}

// Views and sequences do not see each other: what one gives does not depend on
// the other, and steps before matter while later ones do not.
func TestViewsAndStepsApart(t *testing.T) {
	s := begin(t, 3)
	n := newNetwork(t, tiny())
	unsettle(t, s, n.Variables())
	p := search.Pass{Scope: s.WithoutGradient()}
	defer p.Scope.Close()
	c := p.Scope
	left, right := stacks(t, s, 2*3, 48, 60) // T = 2, N = 3
	fl, fr := features(t, n, p, left, right, 2)
	swappedLeft, swappedRight := features(t, n, p, right, left, 2)
	assert.Equal(t, read(t, fl), read(t, swappedRight), "both views have the same weights")
	assert.Equal(t, read(t, fr), read(t, swappedLeft))

	cost := c.Reshape(n.Forward(p, left, right), 2, 3, -1)
	one := func(x torch.Tensor) torch.Tensor { // sequence 1 by itself
		return c.Reshape(c.Narrow(c.Reshape(x, 2, 3, 5, 48, 60), 1, 1, 1), 2, 5, 48, 60)
	}
	alone := c.Reshape(n.Forward(p, one(left), one(right)), 2, -1)
	assert.InDeltaSlice(t, read(t, c.Narrow(cost, 1, 1, 1)), read(t, alone), 1e-5)
}

// The fused operator of cells, stems and tails computes what the layers do, and so do
// the forms with few launches.
func TestFusedAgainstLayers(t *testing.T) {
	for _, o := range []Options{
		{}, {Mixing: search.MixSpike}, {SharedNorm: true, Stems: StemsL}, {Recompute: true, Stems: StemsA},
		{FewLaunches: true}, {FewLaunches: true, Mixing: search.MixSpike}, {FewLaunches: true, SharedNorm: true, Stems: StemsL},
	} {
		o.Width, o.MaxDisparity, o.Steps = 2, 21, 2
		o.Neuron = spike.LIF{Tau: 0.2, Threshold: 0.45} // off the edge of the surrogate
		s := begin(t, 4)
		fused := newNetwork(t, o)
		unsettle(t, s, fused.Variables())
		o.Unfused, o.FewLaunches = true, false
		layers := newNetwork(t, o)
		values := map[string]torch.Tensor{}
		for _, v := range fused.Variables().All() {
			values[v.Name] = v.Value
		}
		require.NoError(t, layers.Variables().Assign(values))
		left, right := stacks(t, s, 4, 42, 54)
		var costs [2][]float64
		var grads [2][]torch.Tensor
		for i, n := range []*Network{fused, layers} {
			cost := n.Forward(training(s), left, right)
			costs[i] = read(t, cost)
			s.Backward(s.Sum(s.Tensor("aten::sin", cost)))
			grads[i] = s.Gradients(n.Variables().Parameters())
			require.NoError(t, s.Err())
		}
		assert.InDeltaSlice(t, costs[1], costs[0], 1e-4)
		for i, v := range fused.Variables().All() {
			if !v.Trainable {
				assert.InDeltaSlice(t, read(t, layers.Variables().All()[i].Value), read(t, v.Value), 1e-4, v.Name)
			}
		}
		for i, v := range fused.Variables().Parameters() {
			if strings.HasSuffix(v.Name, "conv.bias") {
				continue // zero before a normalisation: only rounding is left
			}
			want, have := read(t, grads[1][i]), read(t, grads[0][i])
			largest := 0.0
			for _, x := range want {
				largest = max(largest, x, -x)
			}
			assert.Greater(t, largest, 0.0, v.Name)
			assert.InDeltaSlice(t, want, have, 1e-3*largest, v.Name)
		}
	}
}

func TestSmallVariants(t *testing.T) {
	s := begin(t, 5)
	for _, o := range []Options{
		{Neuron: spike.LIF{Tau: 0, Threshold: 0.5}},
		{Precision: search.BFloat16},
		{Head: HeadTrilinear, Stems: StemsA, Width: 3},
		{Stem: search.StemReLU, Mixing: search.MixSpike},
	} {
		if o.Width == 0 {
			o.Width = 2
		}
		o.MaxDisparity, o.Steps = 21, 2
		n := newNetwork(t, o)
		left, right := stacks(t, s, 2, 42, 54)
		cost := n.Forward(training(s), left, right)
		s.Backward(s.Sum(cost))
		require.NoError(t, s.Err())
		assert.Equal(t, []int64{2, 11, 42, 54}, s.Shape(cost))
		dtype, err := torch.Dtype(cost)
		require.NoError(t, err)
		assert.Equal(t, torch.Float32, dtype)
	}
}

func TestRefusals(t *testing.T) {
	s := begin(t, 6)
	for _, o := range []Options{
		{Width: 3}, {MaxDisparity: 20}, {MaxDisparity: 3}, {Stems: "C"}, {Head: "x"}, {Steps: -1}, {Mixing: "x"},
		{Stem: "x"}, {Precision: "float8"}, {Temperature: -1}, {Neuron: spike.LIF{Tau: -1}}, {Deviation: -1}, {TrellisLevels: 5},
	} {
		_, err := NewNetwork(torch.CPU(), published(t), o)
		assert.ErrorIs(t, err, ErrOptions, "%+v", o)
	}
	n := newNetwork(t, tiny())
	left, right := stacks(t, s, 2, 42, 54)
	for _, bad := range [][2]torch.Tensor{
		{left, s.Narrow(right, 0, 0, 1)}, {s.Narrow(left, 1, 0, 4), s.Narrow(right, 1, 0, 4)},
		{s.Narrow(left, 3, 0, 12), s.Narrow(right, 3, 0, 12)}, {s.Narrow(left, 0, 0, 1), s.Narrow(right, 0, 0, 1)},
	} {
		c := torch.NewScope()
		n.Forward(search.Pass{Scope: c}, bad[0], bad[1])
		assert.ErrorIs(t, c.Err(), ErrOptions)
		assert.NotContains(t, c.Err().Error(), "\n")
		_ = c.Close()
	}
	c := torch.NewScope()
	n.Forward(search.Pass{Scope: c, Mode: torch.Train, Membranes: &search.Membranes{}}, left, right)
	assert.ErrorIs(t, c.Err(), ErrOptions)
	_ = c.Close()
}

// multiplications of the convolutions in one time step over stacks of the given size: two
// views through the feature network, one volume through the matching network.
func multiplications(n *Network, height, width int) (feature, matching int64) {
	view := graph.Shape{Images: 1, Channels: n.Options.Channels, Height: height, Width: width}
	for _, l := range search.Layers(n.graph, view, view) {
		if strings.HasPrefix(l.Name, "feature.") {
			feature += l.MultiplyAdds()
		} else {
			matching += l.MultiplyAdds()
		}
	}
	return feature, matching
}

// The figures for a full frame, in units of 10 M.
func TestMACs(t *testing.T) {
	begin(t, 50)
	feature, matching := multiplications(newNetwork(t, Options{Stems: StemsL}), 260, 346)
	assert.InDelta(t, 2*0.30e9, float64(feature), 0.01e9)
	assert.InDelta(t, 18.86e9, float64(matching), 0.01e9)
	assert.InDelta(t, 19.46e9, float64(feature+matching), 0.01e9)
	layer := func(in, out int) int { return 21 * 88 * 116 * in * out * 27 }
	assert.InDelta(t, 6.67e9, float64(layer(48, 24)), 0.01e9)
	assert.InDelta(t, 3.33e9, float64(layer(24, 24)), 0.01e9)
}

// A program counts the spikes that its layers read; dense, its layers are the
// multiplications of a step, and every convolution behind the first reads spikes.
func TestActivity(t *testing.T) {
	s := begin(t, 51)
	for _, stem := range []search.Stem{search.StemSpike, search.StemReLU} {
		o := tiny()
		o.Stem = stem
		n := newNetwork(t, o)
		unsettle(t, s, n.Variables())
		p := newProgramOf(t, n)
		left, right := stacks(t, s, int64(o.Steps), 42, 54)
		a, err := p.Measure(left, right)
		require.NoError(t, err)
		assert.Equal(t, o.Steps, a.Images)
		feature, matching := multiplications(n, 42, 54)
		assert.Equal(t, feature+matching, a.Dense)
		assert.Equal(t, graph.ReadsEvents, a.Layers[0].Reads)
		assert.Equal(t, stem == search.StemSpike, a.Binary)
		assert.InEpsilon(t, float64(a.Dense)*graph.MACEnergy*1e-9, a.ANNEnergy, 1e-9)
		if a.Binary {
			assert.Zero(t, a.MACs)
			assert.InEpsilon(t, a.Additions*graph.AdditionEnergy*1e-9, a.Energy, 1e-9)
			assert.Greater(t, a.FiringRate, 0.01)
		}

		// The first layer of the matching network, counted from its own input.
		var rate float64
		p.RunWith(s, graph.Settings{Watch: func(c *torch.Scope, v graph.Value, x torch.Tensor) {
			if _, ok := p.Nodes()[v].Op.(graph.Volume); ok {
				rate = c.Item(c.Mean(x))
			}
		}}, left, right)
		require.NoError(t, s.Err())
		for _, l := range a.Layers {
			if l.Name == "matching_stem_layers_0" {
				assert.InDelta(t, rate, l.Rate, 1e-6)
				assert.Equal(t, 1, l.Steps)
				rate = -1
			}
		}
		assert.EqualValues(t, -1, rate, "no such layer")
	}
}
