package search

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// depthwise is an operation that is none of the paper's: 5x5 in each channel, then 1x1.
var depthwise = RegisterOperation(Operation{
	Name: "test_dw5x5", Label: "dw5", Note: "depthwise 5×5",
	Add: func(e *EdgeBuilder, x graph.Value) graph.Value {
		x = e.Fire(e.Conv(x, ConvShape{In: e.In, Out: e.In, Kernel: 5, Groups: e.In, Stride: e.Stride, NoBias: true}))
		return e.Conv(x, ConvShape{In: e.In, Out: e.Width})
	},
})

func mixedOps() []genotype.Op { return append(genotype.Published(), depthwise) }

// depthwiseCell has the operation on edges from s0, from s1 and between nodes.
func depthwiseCell() genotype.Cell {
	return genotype.Cell{Nodes: 2, Edges: []genotype.Edge{
		{Index: 0, Op: depthwise}, {Index: 1, Op: genotype.B3}, {Index: 3, Op: depthwise}, {Index: 4, Op: depthwise},
	}}
}

// A network with the operation, its inference form in both precisions, its description and
// its script compute the same, whatever the mixing, the normalisation and the way down.
func TestRegisteredOperationInANetwork(t *testing.T) {
	for _, mixing := range []Mixing{MixMembrane, MixSpike} {
		for _, reduction := range []bool{false, true} {
			s := begin(t, 77)
			cell := depthwiseCell()
			var second *genotype.Cell
			if reduction {
				second = &cell
			}
			g, err := genotype.New("of a test", cell, second)
			require.NoError(t, err)
			require.Contains(t, g.Ops, "test_dw5x5")
			v := variant{genotype: g, options: tinyOptions(0, 1), height: 9, width: 8, pad: 1}
			v.options.Channels, v.options.Mixing, v.options.PerStepNorm, v.options.Auxiliary = 2, mixing, reduction, true
			n := v.trained(t, s)
			p := v.program(t, n)
			assert.False(t, p.EventDriven(), "groups are no wide convolution")
			images := v.images(s, 3)
			logits := read(t, p.Run(s, images))
			assert.Equal(t, logits, read(t, p.RunFast(s, images)))

			script, _ := scripted(t, p, nil)
			assert.Equal(t, logits, read(t, script.Forward(s, images)))
			require.NoError(t, script.Close())

			text, err := p.Description()
			require.NoError(t, err)
			assert.Contains(t, text, `"format": 3`)
			q, err := graph.Load(text, named(p))
			require.NoError(t, err)
			assert.Equal(t, logits, read(t, q.Run(s, images)))
			require.NoError(t, q.Close())

			have := read(t, runHalf(p, s, images))
			for i := range logits {
				assert.InDelta(t, logits[i], have[i], 1, "in bfloat16")
			}

			// The paths of the layers: all edges of the operation convolve twice.
			a, err := p.Measure(images)
			require.NoError(t, err)
			names := map[string]graph.LayerActivity{}
			for _, l := range a.Layers {
				names[l.Name] = l
			}
			l := names["cells_0_n0_s0_conv0"]
			assert.Equal(t, 5, l.Kernel)
			assert.Equal(t, int64(l.Output[0]*l.Output[1]*l.Output[2]*25), l.Dense, "one channel each")
			assert.Equal(t, graph.ReadsSpikes, l.Reads)
			assert.True(t, a.Binary)

			layers, err := n.SpikingLayers()
			require.NoError(t, err)
			for _, l := range layers {
				if mixing == MixMembrane {
					assert.NotContains(t, l.Name, ".node", "both nodes have the operation")
				}
			}
		}
	}
}

// A mixed cell by its definition: the sum over edges and operations, each weighted by its
// share of softmax(alpha); also in the order of other candidates, and without skip.
func TestRegisteredOperationInASupernet(t *testing.T) {
	spaces := [][]genotype.Op{mixedOps(), {depthwise, genotype.Skip, genotype.B5}, {genotype.B3, depthwise}, {depthwise}}
	for _, ops := range spaces {
		for _, mixing := range []Mixing{MixMembrane, MixSpike} {
			s := begin(t, 78)
			o := tinyOptions(0)
			o.Mixing, o.Candidates = mixing, ops
			v := torch.NewVariables(torch.CPU())
			b := NewMixedCell(v.Root(), CellShape{Channels: 3, S0: 4, S1: 5}, 2, o)
			require.NoError(t, v.Err())
			s0 := s.Cast(s.Tensor("aten::gt.Scalar", s.Randn(torch.CPU(), int64(2*o.Steps), 4, 6, 7), 0.5), torch.Float32)
			s1 := s.Cast(s.Tensor("aten::gt.Scalar", s.Randn(torch.CPU(), int64(2*o.Steps), 5, 6, 7), 0.5), torch.Float32)
			weights := s.Softmax(s.Randn(torch.CPU(), 5, int64(len(ops))), 1)
			p := Pass{Scope: s, Mode: torch.Train}
			have := b.Forward(p, weights, s0, s1)
			require.NoError(t, s.Err())

			shares, err := ReadAlpha(weights)
			require.NoError(t, err)
			wide, others, neurons := wideOf(b), map[string]edgeOp{}, map[int]nodeOp{}
			for _, n := range b.layers.Nodes() {
				switch o := n.Op.(type) {
				case edgeOp:
					others[n.Name] = o
				case nodeOp:
					neurons[len(neurons)] = o
				}
			}
			sources := []torch.Tensor{s0, s1}
			for j := range 2 {
				var sum torch.Tensor
				for i := range j + 2 {
					src := genotype.Source(i)
					edge := genotype.EdgeIndex(j, src)
					for k, op := range ops {
						var y torch.Tensor
						switch {
						case op == depthwise:
							other := others[fmt.Sprintf("n%d.%v.test_dw5x5", j, src)]
							y = other.inside.Forward(s, &p, o.Steps, sources[i])[0]
						case identity(src, op):
							y = sources[i]
						default:
							w := wide["from_"+src.String()]
							at := slices.Index(w.readers, genotype.Edge{Index: edge, Op: op})
							y = s.Split(w.Forward(p, sources[i]), 1, w.width)[at]
						}
						require.True(t, torch.Defined(y), "edge %d, %v", edge, op)
						sum = addTo(s, sum, s.Scale(y, shares[edge][k]))
					}
				}
				sources = append(sources, p.fire(neurons[j].neurons, sum, o.Steps))
			}
			assert.InDeltaSlice(t, read(t, s.Cat(sources[2:], 1)), read(t, have), 1e-5)
			require.NoError(t, v.Close())
		}
	}
}

// A search over the operation has alpha of four columns, gradients everywhere, and decodes
// to it where it is the strongest; so has a search of layers.
func TestSearchOverARegisteredOperation(t *testing.T) {
	s := begin(t, 79)
	o := tinyOptions(0, 1)
	o.Candidates = mixedOps()
	shallow := o
	shallow.Head = HeadRate
	for _, net := range []interface {
		Forward(p Pass, images torch.Tensor) Output
		Weights() *torch.Variables
		Architecture() *torch.Variables
		Decode(name string) (genotype.Genotype, error)
	}{newSupernet(t, 2, genotype.DownsampleReduction, o), newTrellis(t, 2, shallow)} {
		images, labels := labelled(s)
		loss := s.CrossEntropy(net.Forward(Pass{Scope: s, Mode: torch.Train}, images).Logits, labels)
		parameters := slices.Concat(net.Weights().Parameters(), net.Architecture().Parameters())
		if _, layers := net.(*TrellisSupernet); layers { // few spikes arrive at its classifiers
			parameters = net.Architecture().Parameters()[:1]
		}
		learns(t, s, loss, parameters)
		for _, v := range net.Architecture().Parameters() {
			if shape := s.Shape(v.Value); v.Name != "beta" {
				assert.Equal(t, []int64{5, 4}, shape, v.Name)
				c := s.WithoutGradient()
				values := make([]float32, 20)
				for i := range 5 {
					values[4*i+3] = float32(math.Sqrt(float64(i + 2)))
				}
				c.CopyTo(v.Value, torch.FromSlice(c, values, 5, 4))
				require.NoError(t, c.Close())
			}
		}
		g, err := net.Decode("found")
		require.NoError(t, err)
		assert.Equal(t, []string{"skip_connect", "snn_b3", "snn_b5", "test_dw5x5"}, g.Ops)
		for _, e := range g.Normal().Edges {
			assert.Equal(t, depthwise, e.Op)
		}
	}
}

func TestOperationsThatCannotBeRegistered(t *testing.T) {
	assert.Panics(t, func() { RegisterOperation(Operation{Name: "test_nothing"}) })
	assert.Panics(t, func() { RegisterOperation(Operation{Name: "snn_b3", Add: operations[depthwise].Add}) })
	assert.Panics(t, func() { RegisterOperation(Operation{Name: "Big Letters", Add: operations[depthwise].Add}) })
}
