package synth

import (
	"github.com/spikedhs/spikedhs/data/stereo"
)

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
