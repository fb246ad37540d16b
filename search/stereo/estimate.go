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

// estimator is [Estimate] for a number of bins and a device: its constants are made once,
// and what they hold no step has to compute.
type estimator struct {
	window torch.Tensor // [bins, bins]: 0 where the second is near the first, else -Inf
	axis   torch.Tensor // [1, bins, 1, 1]: the disparities in pixels
}

// newEstimator makes an estimator that belongs to s.
func newEstimator(s *torch.Scope, d torch.Device, bins int) *estimator {
	var window, axis []float32
	for best := range bins {
		axis = append(axis, float32(best*BinStep))
		for j := range bins {
			if j < best-supportBins || j > best+supportBins {
				window = append(window, float32(math.Inf(-1)))
			} else {
				window = append(window, 0)
			}
		}
	}
	n := int64(bins)
	return &estimator{window: torch.Upload(s, d, window, n, n), axis: torch.Upload(s, d, axis, 1, n, 1, 1)}
}

func (e *estimator) estimate(s *torch.Scope, cost torch.Tensor) torch.Tensor {
	c := s.WithoutGradient()
	defer c.Close()
	cost = c.Cast(cost, torch.Float32)
	shape := c.Shape(cost)
	if len(shape) != 4 {
		return torch.Tensor{}
	}
	best := c.Reshape(c.Tensor("aten::argmax", cost, 1), -1)
	window := c.Reshape(c.Tensor("aten::index_select", e.window, 0, best), shape[0], shape[2], shape[3], shape[1])
	near := c.Add(cost, c.Tensor("aten::permute", window, []int64{0, 3, 1, 2}))
	c.Free(window)
	shares := c.Softmax(near, 1)
	c.Free(near)
	return c.Return(c.Tensor("aten::sum.dim_IntList", c.Tensor("aten::mul_.Tensor", shares, e.axis), []int64{1}))
}
