package stereo

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
)

// smallestDisparity keeps depth finite where the disparity is 0.
const smallestDisparity = 1e-7

// Metrics are the numbers of event-based stereo (table 2), each the mean over frames
// of its value over the valid pixels of the frame.
type Metrics struct {
	// OnePixelAccuracy is the share of pixels within 1 px, in percent.
	OnePixelAccuracy float64 `json:"one_pixel_accuracy"`
	// MeanDisparityError is |d^ - d| in pixels.
	MeanDisparityError float64 `json:"mean_disparity_error_px"`
	// MeanDepthError and MedianDepthError are of |Z^ - Z| in centimetres. The median is
	// the lower one of an even number.
	MeanDepthError   float64 `json:"mean_depth_error_cm"`
	MedianDepthError float64 `json:"median_depth_error_cm"`
	// Frames counts the frames, those without truth too, which count as 0; Pixels the
	// valid pixels.
	Frames int   `json:"frames"`
	Pixels int64 `json:"pixels"`
	// NearZero counts valid pixels whose prediction is below 0.5 px. Their depth
	// has no meaning and can spoil the mean.
	NearZero int64 `json:"near_zero"`
}

// Meter gathers metrics over frames. Set FocalBaseline before the first frame.
type Meter struct {
	// FocalBaseline turns disparity into depth: Z = FocalBaseline / (d + 1e-7).
	FocalBaseline float64
	// ClampAt, when positive, raises smaller predicted disparities to itself
	// before depth is computed. 0, the default, is the published protocol.
	ClampAt float64

	sums Metrics // depths in metres
	off  float64 // sum of the shares of pixels that are off by more than 1 px, in percent
}

// ErrFrame is the cause of an error about a frame that cannot be scored.
var ErrFrame = errors.New("frame cannot be scored")

// Add scores one frame: predicted and true disparities in pixels, pixel by
// pixel. A pixel without truth holds +Inf or NaN.
func (m *Meter) Add(prediction, truth []float32) error {
	if len(prediction) != len(truth) {
		return fmt.Errorf("stereo: %d predicted pixels, %d true ones: %w", len(prediction), len(truth), ErrFrame)
	}
	if m.FocalBaseline <= 0 {
		return fmt.Errorf("stereo: focal length times baseline is %g, must be positive: %w", m.FocalBaseline, ErrFrame)
	}
	var sum float64
	var off, nearZero int64
	var depths []float64
	for i, t := range truth {
		d, p := float64(t), float64(prediction[i])
		if math.IsInf(d, 0) || math.IsNaN(d) {
			continue
		}
		if math.IsNaN(p) || math.IsInf(p, 0) {
			return fmt.Errorf("stereo: predicted disparity of pixel %d is %g; the training has diverged: %w", i, p, ErrFrame)
		}
		distance := math.Abs(p - d)
		sum += distance
		if distance > 1 {
			off++
		}
		if p < 0.5 {
			nearZero++
		}
		depths = append(depths, math.Abs(m.depth(max(p, m.ClampAt))-m.depth(d)))
	}
	m.sums.Frames++
	n := float64(len(depths))
	if n == 0 {
		return nil
	}
	m.sums.Pixels += int64(len(depths))
	m.sums.NearZero += nearZero
	m.sums.MeanDisparityError += sum / n
	m.off += 100 * float64(off) / n
	total := 0.0
	for _, z := range depths {
		total += z
	}
	m.sums.MeanDepthError += total / n
	slices.Sort(depths)
	m.sums.MedianDepthError += depths[(len(depths)-1)/2]
	return nil
}

// depth in metres of a disparity in pixels.
func (m *Meter) depth(d float64) float64 { return m.FocalBaseline / (d + smallestDisparity) }

// Result is the mean over all frames so far, zeros before the first.
func (m *Meter) Result() Metrics {
	r := m.sums
	if r.Frames == 0 {
		return r
	}
	n := float64(r.Frames)
	r.MeanDisparityError /= n
	r.OnePixelAccuracy = 100 - m.off/n
	const centimetres = 100
	r.MeanDepthError = centimetres * (r.MeanDepthError / n)
	r.MedianDepthError = centimetres * (r.MedianDepthError / n)
	return r
}

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
