package trellis_test

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/trellis"
)

// Two layers whose beta prefers to go down and come up again.
func ExampleSpace_Decode() {
	path, p, err := trellis.Full(2).Decode(trellis.Beta{
		{{0, -0.2, 0.3}},
		{{0, 0.1, -0.1}, {0.5, 0, -0.3}},
	})
	fmt.Printf("%v %.4f %v\n", path, p, err)
	// Output: [1 0] 0.2018 <nil>
}
