package graph

import (
	"github.com/spikedhs/spikedhs/torch"
)

// PlaneStep is the side of a pixel of level 0 in pixels of the input.
const PlaneStep = 3

// Multiple is what height and width are padded to a multiple of, so that
// levels 0 and 1 are exactly a third and a sixth.
const Multiple = 2 * PlaneStep

// Levels is the number of resolution levels of the trellis: 1/3, 1/6, 1/12 and
// 1/24 of the input, by the rates {3, 2, 2, 2} of section 4.2.
const Levels = 4

// Grid is the size of a feature: planes (0 over two dimensions), rows, columns.
type Grid struct{ Planes, Height, Width int }

// Padded is a size filled up to the next multiple of [Multiple]; the zeros go on
// top and to the left.
func Padded(size int) int { return (size + Multiple - 1) / Multiple * Multiple }

// Grids are the sizes of all levels for an input of the given size. Each level
// halves the one before and rounds up. planes is that of level 0, or 0 for the
// feature network.
func Grids(planes, height, width int) [Levels]Grid {
	var grids [Levels]Grid
	grids[0] = Grid{planes, Padded(height) / PlaneStep, Padded(width) / PlaneStep}
	for l := 1; l < Levels; l++ {
		half := func(n int) int { return (n + 1) / 2 }
		g := grids[l-1]
		grids[l] = Grid{half(g.Planes), half(g.Height), half(g.Width)}
	}
	return grids
}

// Resize brings x to another grid by nearest interpolation, which keeps spikes
// binary. With planes, which are folded into the batch, x is [N*planes, C, H, W].
func Resize(s *torch.Scope, x torch.Tensor, from, to Grid) torch.Tensor {
	if from == to {
		return x
	}
	c := s.Child()
	defer c.Close()
	// Depth goes where it is cheaper: first on the way down, last on the way up.
	if to.Planes < from.Planes {
		x = resizeDepth(c, x, from.Planes, to.Planes)
	}
	if from.Height != to.Height || from.Width != to.Width {
		x = c.ResizeNearest(x, int64(to.Height), int64(to.Width))
	}
	if to.Planes > from.Planes {
		x = resizeDepth(c, x, from.Planes, to.Planes)
	}
	return c.Return(x)
}

// resizeDepth picks planes as nearest interpolation does: plane i of `to` comes
// from plane i*from/to, rounded down.
func resizeDepth(s *torch.Scope, x torch.Tensor, from, to int) torch.Tensor {
	pick := pickPlanes
	if torch.IsCUDA(s.Device(x)) {
		pick = interpolatePlanes
	}
	c := s.Child()
	defer c.Close()
	shape := c.Shape(x)
	if len(shape) != 4 {
		return torch.Tensor{}
	}
	channels, height, width := shape[1], shape[2], shape[3]
	// Channels last is [N*planes, H, W, C] in memory, so planes are whole blocks.
	blocks := c.Tensor("aten::permute", c.ChannelsLast(x), []int64{0, 2, 3, 1})
	blocks = pick(c, c.Reshape(blocks, -1, int64(from), height*width*channels), from, to)
	blocks = c.Reshape(blocks, -1, height, width, channels)
	return c.Return(c.Tensor("aten::permute", blocks, []int64{0, 3, 1, 2}))
}

// pickPlanes picks planes [N, from, size] by their numbers: [N, to, size]. The numbers
// come from the host.
func pickPlanes(s *torch.Scope, planes torch.Tensor, from, to int) torch.Tensor {
	picks := make([]int64, to)
	for i := range picks {
		picks[i] = int64(i * from / to)
	}
	return s.Tensor("aten::index_select", planes, 1, torch.FromSlice(s, picks, int64(to)))
}

// interpolatePlanes does the same by interpolation over two dimensions, where a plane is
// a row: a device makes one kernel of it, and one of its gradient, and reads nothing from
// the host.
func interpolatePlanes(s *torch.Scope, planes torch.Tensor, from, to int) torch.Tensor {
	// The operator multiplies by the inverse of this number in 32 bits. It is a little too
	// small, so that no plane i*from/to that is whole comes out below itself.
	scale := float64(to) / float64(from) * (1 - 1e-6)
	y := s.Tensor("aten::unsqueeze", planes, 1)
	y = s.Tensor("aten::upsample_nearest2d", y, []int64{int64(to), s.Size(planes, 2)}, scale, nil)
	return s.Tensor("aten::squeeze.dim", y, 1)
}

// PlanesAt is the depth of a level whose level 0 has the given planes.
func PlanesAt(planes, level int) int { return int(Halved(int64(planes), level)) }
