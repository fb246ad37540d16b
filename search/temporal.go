package search

import (
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// StepsFirst turns input with time as people have it, [N, T, C, H, W], into what
// [Network.Forward] reads, [T*N, C, H, W] with time slowest.
func StepsFirst(s *torch.Scope, x torch.Tensor, steps int) torch.Tensor {
	return graph.TimeFirst(s, x, steps)
}
