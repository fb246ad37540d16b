package stereo

import (
	"math"

	"github.com/spikedhs/spikedhs/torch"
)

// supportBins is how far the estimator looks to either side of the best bin:
// 2 bins, 4 px (Tulyakov et al. 2018).
const supportBins = 2

// Estimate is the sub-pixel MAP estimator (section 3.3, eq. 5): the disparity in
// pixels [B, H, W] from the cost C [B, bins, H, W], where larger is better:
//
//	best = argmax_j C_j,   d = sum_j 2j softmax(C_j)   over best-2 <= j <= best+2
//
// Bins that do not exist are left out. Ties go to the smaller disparity. The
// paper writes argmin and a strict bound, which contradicts its own softmax.
func Estimate(s *torch.Scope, cost torch.Tensor) torch.Tensor {
	c := s.WithoutGradient()
	defer c.Close()
	cost = c.Cast(cost, torch.Float32)
	bins := c.Size(cost, 1)
	axis := c.Reshape(c.Range(c.Device(cost), bins), 1, bins, 1, 1)
	// All values have the size of the cost, the largest tensor of a stream: each goes
	// as soon as the next is there.
	distance := c.Sub(axis, c.Cast(c.Tensor("aten::argmax", cost, 1, true), torch.Float32))
	apart := c.Tensor("aten::abs", distance)
	c.Free(distance)
	far := c.Tensor("aten::gt.Scalar", apart, supportBins)
	c.Free(apart)
	near := c.Tensor("aten::masked_fill.Scalar", cost, far, math.Inf(-1))
	c.Free(far)
	shares := c.Softmax(near, 1)
	c.Free(near)
	shares = c.Tensor("aten::mul_.Tensor", shares, c.Scale(axis, BinStep))
	return c.Return(c.Tensor("aten::sum.dim_IntList", shares, []int64{1}))
}
