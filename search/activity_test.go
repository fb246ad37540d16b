package search

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// counted is what a loop over the values of the plain list finds out about a
// layer, apart from the package's own counting.
type counted struct {
	rate, dense, steps float64
	binary             bool
	output             [3]int
}

// watched are the values of all nodes of a run of the plain list.
func watched(t *testing.T, s *torch.Scope, p *graph.Program, images torch.Tensor) map[graph.Value]torch.Tensor {
	t.Helper()
	values := map[graph.Value]torch.Tensor{}
	p.RunWith(s, graph.Settings{Watch: func(_ *torch.Scope, v graph.Value, x torch.Tensor) { values[v] = s.Clone(x) }}, images)
	require.NoError(t, s.Err())
	require.Len(t, values, len(p.Nodes()))
	return values
}

// countByHand runs the plain list and looks at every value that a convolution or
// linear layer reads. The multiplications are counted output by output, those with
// the border's zeros included.
func countByHand(t *testing.T, s *torch.Scope, p *graph.Program, images torch.Tensor) (layers map[string]counted, neurons map[string]float64) {
	t.Helper()
	layers, neurons = map[string]counted{}, map[string]float64{}
	batch := float64(s.Size(images, 0))
	values := watched(t, s, p, images)
	note := func(weight int, x torch.Tensor, stride, pad int64) {
		shape := append(s.Shape(x), 1, 1)[:4]
		kernels := append(s.Shape(p.Tensor(weight)), 1, 1)[:4]
		c := counted{binary: true}
		fired, total := 0.0, 0.0
		for _, v := range read(t, x) {
			if v != 0 {
				fired++
			}
			total++
			c.binary = c.binary && (v == 0 || v == 1)
		}
		c.rate, c.steps = fired/total, float64(shape[0])/batch
		rows, columns := 0, 0
		for y := -pad; y+kernels[2] <= shape[2]+pad; y += stride {
			rows++
		}
		for x := -pad; x+kernels[3] <= shape[3]+pad; x += stride {
			columns++
		}
		for range kernels[0] {
			for range rows {
				for range columns {
					c.dense += float64(kernels[1] * kernels[2] * kernels[3])
				}
			}
		}
		c.output = [3]int{int(kernels[0]), rows, columns}
		layers[strings.TrimSuffix(p.Constants()[weight].Name, "_weight")] = c
	}
	for i, n := range p.Nodes() {
		switch o := n.Op.(type) {
		case graph.Conv:
			note(o.Weight, values[o.X], o.Stride, o.Pad)
		case graph.Classify:
			note(o.Weight, values[o.X], 1, 0)
		case graph.Fire:
			fired := 0.0
			list := read(t, values[graph.Value(i)])
			for _, v := range list {
				fired += float64(v)
			}
			neurons[n.Name] = fired / float64(len(list))
		}
	}
	return layers, neurons
}

// coarsen makes all weights multiples of 1/64, so that sums are exact in whatever
// order and both forms of a program give the same spikes.
func coarsen(s *torch.Scope, p *graph.Program) { coarsenTo(s, p, 64, 1.0/64) }

// coarsenTo rounds all weights times scale to whole numbers of steps.
func coarsenTo(s *torch.Scope, p *graph.Program, scale, step float64) {
	for _, c := range p.Constants() {
		if c.Name != "mean" && c.Name != "deviation" {
			s.CopyTo(c.Value, s.Scale(s.Tensor("aten::round", s.Scale(c.Value, scale)), step))
		}
	}
}

// Firing rates, multiplications, additions and energy of every layer, counted by
// both forms of the program, against loops over the values themselves.
func TestActivityAgainstLoops(t *testing.T) {
	for i, v := range variants(t) {
		t.Run(v.String(), func(t *testing.T) {
			s := begin(t, uint64(180+i))
			p := v.program(t, v.trained(t, s))
			coarsen(s, p)
			x := v.images(s, 3)
			layers, neurons := countByHand(t, s, p, x)
			measured, err := p.Measure(x)
			require.NoError(t, err)
			assert.Equal(t, 3, measured.Checked)
			_, err = p.Activity()
			require.ErrorIs(t, err, graph.ErrCensus, "nothing was asked to count yet")
			p.CountSpikes()
			p.RunFast(s, x)
			p.RunFast(s, s.Narrow(x, 0, 0, 1))
			p.RunFast(s, s.Narrow(x, 0, 1, 2))
			p.StopCounting()
			p.RunFast(s, s.Zeros(torch.CPU(), s.Shape(x)...))
			require.NoError(t, s.Err())
			running, err := p.Activity()
			require.NoError(t, err)
			assert.Equal(t, 6, running.Images)
			if p.EventDriven() {
				assert.Zero(t, running.Checked)
			}
			ann := v.options.Activation == ActivationReLU
			for _, a := range []*graph.Activity{measured, running} {
				require.Len(t, a.Layers, len(layers))
				require.Len(t, a.Neurons, len(neurons))
				var dense, additions, macs, energy, reference float64
				for k, l := range a.Layers {
					want, ok := layers[l.Name]
					require.True(t, ok, l.Name)
					assert.InDelta(t, want.rate, l.Rate, 1e-12, l.Name)
					assert.True(t, l.Rate >= 0 && l.Rate <= 1, l.Name)
					assert.Equal(t, want.dense, float64(l.Dense), l.Name)
					assert.Equal(t, want.steps, float64(l.Steps), l.Name)
					assert.Equal(t, want.output, l.Output, l.Name)
					analog := k == 0 || ann || v.options.Head == HeadRate && l.Name == "head" || !want.binary
					assert.Equal(t, analog, l.Reads == graph.ReadsAnalog, "%s reads %s", l.Name, l.Reads)
					if analog {
						assert.Equal(t, want.steps*want.dense, float64(l.MACs), l.Name)
						assert.Zero(t, l.Additions)
						assert.InEpsilon(t, want.steps*want.dense*4.6e-9, l.Energy, 1e-12)
					} else {
						assert.True(t, want.binary, l.Name)
						assert.InDelta(t, want.rate*want.steps*want.dense, l.Additions, 1e-6, l.Name)
						assert.Zero(t, l.MACs)
						assert.InDelta(t, want.rate*want.steps*want.dense*0.9e-9, l.Energy, 1e-15)
					}
					dense, additions, macs = dense+want.dense, additions+l.Additions, macs+float64(l.MACs)
					energy, reference = energy+l.Energy, reference+want.dense*4.6e-9
				}
				for _, n := range a.Neurons {
					want, ok := neurons[n.Name]
					require.True(t, ok, n.Name)
					assert.InDelta(t, want, n.Rate, 1e-12, n.Name)
				}
				assert.Equal(t, dense, float64(a.Dense))
				assert.InDelta(t, additions, a.Additions, 1e-6)
				assert.Equal(t, macs, float64(a.MACs))
				assert.InEpsilon(t, energy, a.Energy, 1e-12)
				assert.InEpsilon(t, reference, a.ANNEnergy, 1e-12)
				assert.InEpsilon(t, reference/energy, a.Ratio, 1e-12)
				assert.Equal(t, v.options.Stem == StemSpike, a.Binary)
				if ann {
					assert.InDelta(t, 1, a.Ratio, 1e-12, "an ANN takes what it takes")
				}
			}
			assert.Equal(t, measured.Layers, running.Layers)
			assert.Equal(t, measured.Neurons, running.Neurons)
		})
	}
}

// The layers that count are those of the list of layers.
func TestActivityHasTheLayersOfTheNetwork(t *testing.T) {
	for i, v := range variants(t) {
		s := begin(t, uint64(230+i))
		v.options.Auxiliary = false
		n := newNetwork(t, v.genotype, v.options)
		a, err := v.program(t, n).Measure(v.images(s, 1))
		require.NoError(t, err)
		list := n.Layers(v.height+2*v.pad, v.width+2*v.pad)
		require.Len(t, a.Layers, len(list))
		for k, l := range list {
			have := a.Layers[k]
			assert.Equal(t, strings.ReplaceAll(l.Name, ".", "_"), have.Name)
			assert.Equal(t, [3]int{l.Out, l.Height, l.Width}, have.Output, l.Name)
			assert.Equal(t, l.MultiplyAdds(), have.Dense, l.Name)
			assert.Equal(t, l.Once || v.options.Steps == 1, have.Steps == 1, l.Name)
		}
	}
}

// With all gains of normalisation 0, its offsets alone are the currents: they
// decide which layers fire. The stem and the one node have as many neurons.
func TestFiringRate(t *testing.T) {
	s := begin(t, 3)
	o := tinyOptions(0)
	o.Head = HeadRate
	n := newNetwork(t, wired(t, [][2]int{{0, 1}, {1, 2}}, nil), o)
	images := s.Full(torch.CPU(), 0.5, 2, 1, 4, 4)
	c := s.WithoutGradient()
	defer c.Close()
	fill := func(name string, value float64) {
		filled := 0
		for _, v := range n.Variables().All() {
			if strings.HasSuffix(v.Name, name) {
				c.Tensor("aten::fill_.Scalar", v.Value, value)
				filled++
			}
		}
		require.Positive(t, filled, name)
		require.NoError(t, c.Err())
	}
	fill("norm.weight", 0)
	for _, k := range []struct{ stem, node, want float64 }{
		{1, 1, 1}, {-9, -9, 0}, {1, -9, 0.5}, {-9, 1, 0.5},
	} {
		fill("norm.bias", k.node)
		fill("stem.norm.bias", k.stem)
		p, err := n.Program(Input{Height: 4, Width: 4, Mean: []float64{0}, Deviation: []float64{1}})
		require.NoError(t, err)
		a, err := p.Measure(images)
		require.NoError(t, err)
		require.NoError(t, p.Close())
		assert.Equal(t, k.want, a.FiringRate, "%+v", k)
	}
}

// Images of zeros and ones, or of -1, 0 and 1, are events: the stem adds.
func TestEventsAsInputAreAdded(t *testing.T) {
	s := begin(t, 31)
	o := tinyOptions(0)
	n := newNetwork(t, wired(t, twoNodes, nil), o)
	p, err := n.Program(Input{Height: 3, Width: 2, Mean: []float64{0}, Deviation: []float64{1}})
	require.NoError(t, err)
	defer p.Close()
	for _, c := range []struct {
		pixels []float32
		reads  string
	}{
		{[]float32{0, 1, 1, 0, 0, 1}, graph.ReadsEvents},
		{[]float32{0, -1, 1, 0, 0, -1}, graph.ReadsEvents},
		{[]float32{0, 0.5, 1, 0, 0, 1}, graph.ReadsAnalog},
	} {
		a, err := p.Measure(torch.FromSlice(s, c.pixels, 1, 1, 3, 2))
		require.NoError(t, err)
		stem := a.Layers[0]
		assert.Equal(t, c.reads, stem.Reads)
		assert.Equal(t, 0.5, stem.Rate)
		if c.reads == graph.ReadsEvents {
			assert.Equal(t, 0.5*float64(stem.Dense), stem.Additions)
		} else {
			assert.Equal(t, stem.Dense, stem.MACs)
		}
	}
}

// Images of two sizes have no common count.
func TestImagesOfTwoSizesAreNotCounted(t *testing.T) {
	s := begin(t, 33)
	v := variants(t)[0]
	p := v.program(t, v.trained(t, s))
	p.CountSpikes()
	p.Run(s, v.images(s, 1))
	v.height += 2
	p.Run(s, v.images(s, 1))
	require.NoError(t, s.Err())
	_, err := p.Activity()
	assert.ErrorIs(t, err, graph.ErrCensus)
}

// A program that went through its description has the same names and counts.
func TestActivityOfADescribedProgram(t *testing.T) {
	for _, k := range []int{0, len(variants(t)) - 1} {
		s := begin(t, 34)
		v := variants(t)[k]
		p := v.program(t, v.trained(t, s))
		text, err := p.Description()
		require.NoError(t, err)
		q, err := graph.Load(text, named(p))
		require.NoError(t, err)
		x := v.images(s, 2)
		want, err := p.Measure(x)
		require.NoError(t, err)
		have, err := q.Measure(x)
		require.NoError(t, err)
		require.NoError(t, q.Close())
		assert.Equal(t, want, have)
	}
}
