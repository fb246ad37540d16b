package stereo

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// The form for devices computes what the network does, in windows and in pieces of
// streams, over sizes that change in between.
func TestCompactAgreesWithNetwork(t *testing.T) {
	eachForm(t, 50, func(t *testing.T, s *torch.Scope, n *Network, p *Program) {
		require.NoError(t, p.forDevice(torch.CPU()))
		assert.Less(t, len(p.Form()), len(p.Nodes())+20)
		c := s.WithoutGradient()
		for _, at := range [][2]int64{{40, 53}, {42, 66}, {40, 53}} {
			left, right := stacks(t, s, 3*2, at[0], at[1]) // N = 2
			want := read(t, n.Forward(search.Pass{Scope: c}, left, right))
			assert.InDeltaSlice(t, want, read(t, p.Run(c, left, right, 3, nil, search.Float32)), 5e-5)
			var state State
			size := len(want) / 3
			for i, steps := range []int{2, 1} {
				cost := p.Run(c, c.Narrow(left, 0, 4*i, 2*steps), c.Narrow(right, 0, 4*i, 2*steps), steps, &state, search.Float32)
				assert.InDeltaSlice(t, want[2*i*size:(2*i+steps)*size], read(t, cost), 5e-5)
			}
			state.Reset()
		}
		require.NoError(t, c.Close())
	})
}

// In 16 bits the form for devices gives nearly the disparities of the other one.
func TestCompactInHalf(t *testing.T) {
	s := begin(t, 51)
	n := newNetwork(t, tiny())
	unsettle(t, s, n.Variables())
	p := newProgramOf(t, n)
	left, right := stacks(t, s, 1, 42, 54)
	var states [2]State
	p.Run(s, left, right, 1, &states[0], search.BFloat16)
	require.NoError(t, p.forDevice(torch.CPU()))
	p.Run(s, left, right, 1, &states[1], search.BFloat16)
	require.NoError(t, s.Err())
	for _, i := range []int{0, 1} { // no sums before these
		assert.Equal(t, read(t, states[0].Membranes()[i]), read(t, states[1].Membranes()[i]))
	}
	for i := range states {
		states[i].Reset()
	}
}

// What a step of the published network is made of: two nodes of each of the two cells of
// the feature network fire at once and are read at once.
func TestCompactIsShort(t *testing.T) {
	begin(t, 57)
	p := newProgramOf(t, newNetwork(t, tiny()))
	require.NoError(t, p.forDevice(torch.CPU()))
	count := map[string]int{}
	for _, x := range p.Form() {
		count[fmt.Sprintf("%T", x.Op)]++
	}
	assert.Equal(t, map[string]int{
		"graph.Views": 1, "graph.stackedConv": 31 - 2, "graph.Fire": 24 - 2, "graph.Sum": 18 - 4, "graph.stack": 17,
		"graph.Regrid": 2, "graph.gather": 7, "graph.Concat": 6, "graph.Volume": 1, "graph.tapsToBins": 1,
	}, count)
}

// The estimator of devices against the one of all.
func TestEstimator(t *testing.T) {
	s := begin(t, 54)
	c := s.WithoutGradient()
	for _, bins := range []int{3, 11, 32} {
		cost := c.Randn(torch.CPU(), 2, int64(bins), 7, 9)
		e := newEstimator(c, torch.CPU(), bins)
		assert.Equal(t, read(t, Estimate(c, cost)), read(t, e.estimate(c, cost)))
	}
	require.NoError(t, c.Close())
}

// Genotypes whose first two nodes read the same, and the third reads them in all ways,
// and random ones.
func TestCompactOfOtherGenotypes(t *testing.T) {
	s := begin(t, 56)
	var cells []genotype.Cell
	third := [][2]genotype.Op{{genotype.B3, genotype.B5}, {genotype.B3, genotype.Skip}, {genotype.Skip, genotype.Skip}}
	for _, ops := range third {
		cells = append(cells, genotype.Cell{Nodes: 3, Edges: []genotype.Edge{
			{Index: 1, Op: genotype.B3}, {Index: 0, Op: genotype.B3}, {Index: 2, Op: genotype.B5}, {Index: 3, Op: genotype.Skip},
			{Index: 8, Op: ops[0]}, {Index: 7, Op: ops[1]},
		}})
	}
	drawn, err := genotype.RandomSet(57, 6, inputNodes, genotype.DownsampleNearest)
	require.NoError(t, err)
	for _, one := range drawn {
		cells = append(cells, one.Normal())
	}
	for i, cell := range cells {
		g := published(t)
		g.Subnets[0].Cell, g.Subnets[1].Cell = cell, cells[(i+1)%len(cells)]
		n, err := NewNetwork(torch.CPU(), g, tiny())
		require.NoError(t, err)
		unsettle(t, s, n.Variables())
		p := newProgramOf(t, n)
		require.NoError(t, p.forDevice(torch.CPU()))
		c := s.WithoutGradient()
		left, right := stacks(t, s, 2, 42, 54)
		want := read(t, n.Forward(search.Pass{Scope: c}, left, right))
		have := read(t, p.Run(c, left, right, 2, nil, search.Float32))
		assert.InDeltaSlice(t, want, have, 5e-5, "%v %v", g.Subnet(Feature).Cell, g.Subnet(Matching).Cell)
		require.NoError(t, c.Close())
		require.NoError(t, n.Close())
	}
}
