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
	for name, o := range forms() {
		t.Run(name, func(t *testing.T) {
			s := begin(t, 50)
			o.Steps = 3
			n := newNetwork(t, o)
			unsettle(t, s, n.Variables())
			p := newProgramOf(t, n)
			require.NoError(t, p.forDevice())
			assert.Less(t, len(p.compact.list), len(p.list)+20)
			c := s.WithoutGradient()
			for _, at := range [][2]int64{{40, 53}, {42, 66}, {40, 53}} {
				left, right := stacks(t, s, 3*2, at[0], at[1]) // N = 2
				want := read(t, c, n.Forward(search.Pass{Scope: c}, left, right))
				assert.InDeltaSlice(t, want, read(t, c, p.Run(c, left, right, 3, nil, search.Float32)), 5e-5)
				var state State
				size := len(want) / 3
				for i, steps := range []int{2, 1} {
					cost := p.Run(c, c.Narrow(left, 0, 4*i, 2*steps), c.Narrow(right, 0, 4*i, 2*steps), steps, &state, search.Float32)
					assert.InDeltaSlice(t, want[2*i*size:(2*i+steps)*size], read(t, c, cost), 5e-5)
				}
				state.Reset()
			}
			require.NoError(t, c.Close())
		})
	}
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
	require.NoError(t, p.forDevice())
	p.Run(s, left, right, 1, &states[1], search.BFloat16)
	require.NoError(t, s.Err())
	require.NotNil(t, p.short[torch.BFloat16])
	for _, i := range []int{0, 1} { // no sums before these
		assert.Equal(t, read(t, s, states[0].Membranes()[i]), read(t, s, states[1].Membranes()[i]))
	}
	for i := range states {
		states[i].Reset()
	}
}

// Every neuron gets the sum of the biases that led to it, and no bias is added that is 0
// or that another convolution brings.
func TestMergedBiases(t *testing.T) {
	s := begin(t, 52)
	n := newNetwork(t, tiny())
	unsettle(t, s, n.Variables())
	p := newProgramOf(t, n)
	merged, err := usesOf(p).mergedBiases()
	require.NoError(t, err)
	of := func(list map[value]torch.Tensor, x part) []float64 {
		bias := list[x.x]
		if !torch.Defined(bias) {
			return nil
		}
		values := read(t, s, bias)
		if x.length > 0 {
			values = values[x.start : x.start+x.length]
		}
		return values
	}
	plain := map[value]torch.Tensor{}
	for i, x := range p.list {
		if c, ok := x.(convolve); ok {
			plain[value(i)] = p.tensors[c.bias].Value
		}
	}
	sums := 0
	for _, x := range p.list {
		x, ok := x.(sum)
		if !ok {
			continue
		}
		sums++
		var want, have []float64
		for _, list := range []struct {
			of map[value]torch.Tensor
			to *[]float64
		}{{plain, &want}, {merged, &have}} {
			for _, part := range x.parts {
				for k, b := range of(list.of, part) {
					if k >= len(*list.to) {
						*list.to = append(*list.to, 0)
					}
					(*list.to)[k] += b
				}
			}
		}
		assert.InDeltaSlice(t, want, have, 1e-6)
	}
	assert.Equal(t, 18, sums)
	// Two cells of the feature network need two biases, four of the matching network one;
	// four stems and the tail from level 1 have theirs, the two last layers have none.
	assert.Len(t, merged, 2*2+4+4+1)
}

// What a step of the published network is made of: two nodes of each of the two cells of
// the feature network fire at once and are read at once.
func TestCompactIsShort(t *testing.T) {
	begin(t, 57)
	p := newProgramOf(t, newNetwork(t, tiny()))
	require.NoError(t, p.forDevice())
	count := map[string]int{}
	for _, x := range p.compact.list {
		count[fmt.Sprintf("%T", x)]++
	}
	assert.Equal(t, map[string]int{
		"stereo.joinViews": 1, "stereo.convolution": 31 - 2, "stereo.fire": 24 - 2, "stereo.sum": 18 - 4, "stereo.stack": 17,
		"stereo.regrid": 2, "stereo.gather": 7, "stereo.concatenate": 6, "stereo.volume": 1, "stereo.tapsToBins": 1,
	}, count)
}

// Resizing by one operator takes what the two of [resize] take.
func TestGather(t *testing.T) {
	s := begin(t, 53)
	p := newProgramOf(t, newNetwork(t, tiny()))
	for _, size := range [][2]int{{42, 66}, {260, 346}, {200, 280}} {
		grids := Grids(21, size[0], size[1])
		for from := range grids {
			for to := range grids {
				if from == to {
					continue
				}
				c := s.WithoutGradient()
				g := grids[from]
				x := c.ChannelsLast(c.Randn(torch.CPU(), int64(2*g.Planes), 2, int64(g.Height), int64(g.Width)))
				m := &machine{Program: p, scope: c, deep: grids, size: size, values: []torch.Tensor{x}}
				y := gather{regrid{x: 0, from: from, to: to, deep: true}}.run(m)
				assert.Equal(t, read(t, c, resize(c, x, grids[from], grids[to])), read(t, c, y), "%v from %d to %d", size, from, to)
				require.NoError(t, c.Close())
			}
		}
	}
	assert.Len(t, p.indices, 12, "of the last size")
}

// The estimator of devices against the one of all.
func TestEstimator(t *testing.T) {
	s := begin(t, 54)
	c := s.WithoutGradient()
	for _, bins := range []int{3, 11, 32} {
		cost := c.Randn(torch.CPU(), 2, int64(bins), 7, 9)
		e := newEstimator(c, torch.CPU(), bins)
		assert.Equal(t, read(t, c, Estimate(c, cost)), read(t, c, e.estimate(c, cost)))
	}
	require.NoError(t, c.Close())
}

// Padding on the way to channels last gives the same numbers in the same order.
func TestPadLast(t *testing.T) {
	s := begin(t, 55)
	c := s.WithoutGradient()
	x := c.Randn(torch.CPU(), 2, 5, 7, 9)
	y := padLast(c, x, 3, 2)
	assert.Equal(t, read(t, c, c.Tensor("aten::constant_pad_nd", x, []int64{3, 0, 2, 0})), read(t, c, y))
	c.Tensor("aten::view", c.Tensor("aten::permute", y, []int64{0, 2, 3, 1}), []int64{-1})
	require.NoError(t, c.Close(), "not channels last")
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
		require.NoError(t, p.forDevice())
		c := s.WithoutGradient()
		left, right := stacks(t, s, 2, 42, 54)
		want := read(t, c, n.Forward(search.Pass{Scope: c}, left, right))
		have := read(t, c, p.Run(c, left, right, 2, nil, search.Float32))
		assert.InDeltaSlice(t, want, have, 5e-5, "%v %v", g.Subnet(Feature).Cell, g.Subnet(Matching).Cell)
		require.NoError(t, c.Close())
		require.NoError(t, n.Close())
	}
}
