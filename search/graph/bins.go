package graph

import "github.com/spikedhs/spikedhs/torch"

// Bins interpolates the planes to bins of disparity, and to the size of the inputs: the
// cost [T*N, bins, H, W], float32.
type Bins struct {
	X       Value
	Mapping int // constant [bins, planes, 1, 1]
	Planes  int
}

// Run makes bins.
func (o Bins) Run(r *Run) torch.Tensor {
	height, width := r.Size()
	return SpreadPlanes(r.Scope, r.At(o.X), r.Tensor(o.Mapping), o.Planes, int(height), int(width))
}

// SpreadPlanes makes bins of planes [B*planes, 1, h, w] and brings them to the input's
// resolution: [B, bins, height, width].
func SpreadPlanes(s *torch.Scope, y, mapping torch.Tensor, planes, height, width int) torch.Tensor {
	c := s.Child()
	defer c.Close()
	y = c.Reshape(c.Contiguous(y), -1, int64(planes), c.Size(y, 2), c.Size(y, 3))
	return c.Return(enlargeBins(c, c.Tensor("aten::conv2d", y, mapping), height, width))
}

// enlargeBins brings bins [B, bins, h, w] to the input's resolution. What padding added on
// top and to the left is cut off.
func enlargeBins(s *torch.Scope, y torch.Tensor, height, width int) torch.Tensor {
	c := s.Child()
	defer c.Close()
	y = c.Tensor("aten::upsample_bilinear2d", y, []int64{int64(Padded(height)), int64(Padded(width))}, false)
	y = c.Narrow(y, 2, Padded(height)-height, height)
	return c.Return(c.Narrow(y, 3, Padded(width)-width, width))
}
