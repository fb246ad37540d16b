package synth

import (
	"math"

	"github.com/spikedhs/spikedhs/data/stereo"
)

// Values of an occlusion mask.
const (
	// Visible marks a left pixel whose point the right camera sees too.
	Visible = 0
	// OutOfView marks one whose point lies outside of the right picture.
	OutOfView = 128
	// Occluded marks one whose point is behind another plane for the right camera.
	Occluded = 255
)

// Truth is what is known about the left picture at one moment.
type Truth struct {
	// Disparity is FB/Z in pixels, exact up to float32, [Height, Width]; +Inf where a ray
	// meets nothing.
	Disparity []float32
	// Occlusion tells of each left pixel whether the right camera sees the same point.
	Occlusion []uint8
	// Nearest is the smallest depth in metres.
	Nearest float64
}

// Truth is the disparity at time t.
func (s *Scene) Truth(t float64) Truth {
	left, right := s.Eye(stereo.Left, t), s.Eye(stereo.Right, t)
	w, h := s.Rig.Width, s.Rig.Height
	truth := Truth{Disparity: make([]float32, w*h), Occlusion: make([]uint8, w*h), Nearest: math.Inf(1)}
	for y := range h {
		for x := range w {
			i := y*w + x
			hit := left.Trace(float64(x), float64(y))
			if hit.Plane < 0 {
				truth.Disparity[i] = float32(math.Inf(1))
				truth.Occlusion[i] = OutOfView
				continue
			}
			truth.Nearest = min(truth.Nearest, hit.Depth)
			d := s.Rig.FB() / hit.Depth
			truth.Disparity[i] = float32(d)
			switch {
			case float64(x)-d < 0:
				truth.Occlusion[i] = OutOfView
			case right.Trace(float64(x)-d, float64(y)).Plane != hit.Plane:
				truth.Occlusion[i] = Occluded
			}
		}
	}
	return truth
}

// Sparsity says which labels are left, like those of a LiDAR, which does not reach
// every pixel. The zero value leaves all.
type Sparsity struct {
	// Rows is the part of the rows that a beam of the LiDAR passes. Default 0: all.
	Rows float64 `json:"rows"`
	// Pixels is the part of the pixels of such a row that send an echo. Default 0: all.
	Pixels float64 `json:"pixels"`
	// NoOcclusion leaves out the pixels that the right camera does not see.
	NoOcclusion bool `json:"no_occlusion"`
}

// label quantises a disparity map and takes out what the LiDAR does not reach.
func (s Sparsity) label(t Truth, width int, seed, frame uint64) []uint8 {
	values := make([]uint8, len(t.Disparity))
	for i, d := range t.Disparity {
		values[i] = stereo.QuantizeDisparity(float64(d))
		y := i / width
		if s.Rows > 0 && unitOpen(mix(seed, 2*frame, uint64(y))) > s.Rows ||
			s.Pixels > 0 && unitOpen(mix(seed, 2*frame+1, uint64(i))) > s.Pixels ||
			s.NoOcclusion && t.Occlusion[i] != Visible {
			values[i] = stereo.Invalid
		}
	}
	return values
}
