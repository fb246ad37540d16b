package stereo

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

var depthwise = search.RegisterOperation(search.Operation{
	Name: "test_dw5x5",
	Add: func(e *search.EdgeBuilder, x graph.Value) graph.Value {
		x = e.Fire(e.Conv(x, search.ConvShape{In: e.In, Out: e.In, Kernel: 5, Groups: e.In, Stride: e.Stride, NoBias: true}))
		return e.Conv(x, search.ConvShape{In: e.In, Out: e.Width})
	},
})

// A registered operation in both subnets: network, program, form for devices, stream and
// script agree, and the counts are those of its nodes.
func TestRegisteredOperation(t *testing.T) {
	for _, name := range []string{"default", "mixed at spike"} {
		o := forms()[name]
		t.Run(name, func(t *testing.T) {
			s := begin(t, 60)
			g := published(t)
			for i := range g.Subnets {
				g.Subnets[i].Cell = genotype.Cell{Nodes: 3, Edges: []genotype.Edge{
					{Index: 1, Op: depthwise}, {Index: 0, Op: genotype.B3}, {Index: 2, Op: genotype.B5}, {Index: 4, Op: depthwise},
					{Index: 8, Op: depthwise}, {Index: 7, Op: genotype.Skip},
				}}
			}
			g = g.Over(append(genotype.Published(), depthwise))
			n, err := NewNetwork(torch.CPU(), g, o)
			require.NoError(t, err)
			defer n.Close()
			unsettle(t, s, n.Variables())
			p := newProgramOf(t, n)
			left, right := stacks(t, s, int64(o.Steps), 42, 54)
			c := s.WithoutGradient()
			want := read(t, n.Forward(search.Pass{Scope: c}, left, right))
			assert.InDeltaSlice(t, want, read(t, p.Run(c, left, right, o.Steps, nil, search.Float32)), 5e-5)
			a, err := p.Measure(left, right)
			require.NoError(t, err)
			assert.True(t, a.Binary)

			path := filepath.Join(t.TempDir(), "model.pt")
			require.NoError(t, p.Script(42, 54, nil).Save(path))
			m, err := torch.LoadScript(path, torch.CPU())
			require.NoError(t, err)
			defer m.Close()
			shape := []int64{int64(o.Steps), 1, 5, 42, 54}
			have := m.Forward(c, c.Reshape(left, shape...), c.Reshape(right, shape...))
			plain := p.Disparity(c, left, right, o.Steps, nil, search.Float32)
			require.NoError(t, c.Err())
			assert.Equal(t, read(t, plain), read(t, c.Reshape(have, int64(o.Steps), 42, 54)))

			require.NoError(t, p.forDevice(torch.CPU()))
			assert.InDeltaSlice(t, want, read(t, p.Run(c, left, right, o.Steps, nil, search.Float32)), 5e-5)
			require.NoError(t, c.Close())
		})
	}
}

// A search over it has gradients everywhere.
func TestSearchOverARegisteredOperation(t *testing.T) {
	s := begin(t, 61)
	o := searching()
	o.Candidates = append(genotype.Published(), depthwise)
	n := newSupernet(t, o, 2, 2)
	left, right := stacks(t, s, 2, 48, 66)
	s.Backward(s.Sum(s.Tensor("aten::sin", n.Forward(training(s), left, right))))
	require.NoError(t, s.Err())
	for _, v := range append(n.Weights().Parameters(), n.Architecture().Parameters()...) {
		require.True(t, torch.Defined(s.Gradient(v.Value)), v.Name)
	}
	g, err := n.Decode("found")
	require.NoError(t, err)
	assert.Contains(t, g.Ops, "test_dw5x5")
}
