package stereo_test

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
)

// The published network at a small size, stepped through a stream: one pair of
// stacks in, one disparity map out.
func Example() {
	g, err := genotype.Preset(genotype.PresetStereo)
	if err != nil {
		fmt.Println(err)
		return
	}
	net, err := stereo.NewNetwork(torch.CPU(), g, stereo.Options{Width: 2, MaxDisparity: 21})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer net.Close()
	var membranes search.Membranes // at rest
	defer membranes.Reset()
	for range 3 {
		s := torch.NewInference()
		left, right := s.Zeros(torch.CPU(), 1, 5, 96, 132), s.Zeros(torch.CPU(), 1, 5, 96, 132)
		cost := net.Forward(search.Pass{Scope: s, Membranes: &membranes}, left, right)
		disparity := stereo.Estimate(s, cost)
		fmt.Println(s.Shape(cost), s.Shape(disparity))
		if err := s.Close(); err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output:
	// [1 11 96 132] [1 96 132]
	// [1 11 96 132] [1 96 132]
	// [1 11 96 132] [1 96 132]
}
