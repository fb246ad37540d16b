package graph

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// Resizing by one operator takes what the two of [Resize] take.
func TestGather(t *testing.T) {
	s := begin(t, 53)
	p := New(Spec{Steps: 1, Inputs: []string{"images"}, Planes: 21})
	p.Constant("one", p.Scope().Full(torch.CPU(), 1, 1))
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
				images := c.Zeros(torch.CPU(), 1, 1, int64(size[0]), int64(size[1]))
				r := &Run{Program: p, Scope: c, inputs: []torch.Tensor{images}, values: []torch.Tensor{x}}
				y := gather{Regrid{X: 0, From: from, To: to, Planes: 21}}.Run(r)
				assert.Equal(t, read(t, Resize(c, x, grids[from], grids[to])), read(t, y), "%v from %d to %d", size, from, to)
				require.NoError(t, c.Close())
			}
		}
	}
	assert.Len(t, p.indices.between, 12, "of the last size")
	require.NoError(t, p.Close())
}

// Padding on the way to channels last gives the same numbers in the same order.
func TestPadLast(t *testing.T) {
	s := begin(t, 55)
	c := s.WithoutGradient()
	x := c.Randn(torch.CPU(), 2, 5, 7, 9)
	y := padLast(c, x, 3, 2)
	assert.Equal(t, read(t, c.Tensor("aten::constant_pad_nd", x, []int64{3, 0, 2, 0})), read(t, y))
	c.Tensor("aten::view", c.Tensor("aten::permute", y, []int64{0, 2, 3, 1}), []int64{-1})
	require.NoError(t, c.Close(), "not channels last")
}
