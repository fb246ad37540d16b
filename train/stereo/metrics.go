package stereo

import (
	"errors"
	"fmt"
	"math"
	"slices"
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
