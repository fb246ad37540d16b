package stereo

import (
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
)

// Loss is the sub-pixel cross entropy (section 3.3, eq. 6), the mean over all
// pixels with a true disparity d:
//
//	q_j = exp(-|2j - d| / b),   L = - sum_j q_j log softmax(C)_j / sum_j q_j
//
// cost is C [B, bins, H, W], larger is better, and disparity [B, H, W] in pixels,
// both float32; a pixel without truth holds +Inf or NaN. b is diversity, in pixels. The
// paper's text says 2; the losses in its logs are possible with 1 only, which the code it
// builds on has too. The least value that can be reached with 32 bins, averaged over the
// disparities of MVSEC, is about 1.020 for b = 1 and 1.678 for b = 2; a uniform
// cost gives ln(bins). Without any valid pixel the loss is 0.
func Loss(s *torch.Scope, cost, disparity torch.Tensor, diversity float64) torch.Tensor {
	c := s.Child()
	defer c.Close()
	q, valid := target(c, cost, disparity, diversity)
	of := lossByPixel
	if torch.IsCUDA(c.Device(cost)) {
		of = lossByBin
	}
	return c.Return(of(c, cost, q, valid))
}

// lossByPixel averages the cross entropies of the pixels.
func lossByPixel(s *torch.Scope, cost, q, valid torch.Tensor) torch.Tensor {
	// sum q = 1, so - sum q log softmax(C) = log sum exp(C) - sum q C.
	expected := s.Tensor("aten::sum.dim_IntList", s.Mul(cost, q), []int64{1})
	each := s.Sub(s.Tensor("aten::logsumexp", cost, []int64{1}), expected)
	count := s.Tensor("aten::clamp_min", s.Sum(valid), 1)
	return s.Tensor("aten::div.Tensor", s.Sum(s.Mul(each, valid)), count)
}

// lossByBin weighs log softmax(C) by what it counts in the mean. All but that is without
// gradient, so that the backward pass has two kernels.
func lossByBin(s *torch.Scope, cost, q, valid torch.Tensor) torch.Tensor {
	count := s.Scale(s.Tensor("aten::clamp_min", s.Sum(valid), 1), -1)
	share := s.Tensor("aten::unsqueeze", s.Tensor("aten::div.Tensor", valid, count), 1)
	return s.Sum(s.Mul(s.Tensor("aten::log_softmax.int", cost, 1), s.Mul(q, share)))
}

// target is the Laplace distribution over the bins, [B, bins, H, W], and which
// pixels have one, [B, H, W] of 0 and 1.
func target(s *torch.Scope, cost, disparity torch.Tensor, diversity float64) (q, valid torch.Tensor) {
	c := s.WithoutGradient()
	defer c.Close()
	bins := c.Size(cost, 1)
	axis := c.Reshape(c.Scale(c.Range(c.Device(cost), bins), stereo.BinStep), 1, bins, 1, 1)
	finite := c.Tensor("aten::isfinite", disparity)
	d := c.Tensor("aten::unsqueeze", c.Tensor("aten::nan_to_num", disparity, 0.0, 0.0, 0.0), 1)
	distance := c.Tensor("aten::abs", c.Sub(axis, d))
	q = c.Softmax(c.Scale(distance, -1/diversity), 1)
	return c.Return(q), c.Return(c.Cast(finite, torch.Float32))
}
