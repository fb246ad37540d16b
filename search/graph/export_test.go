package graph

import "github.com/spikedhs/spikedhs/torch"

// MergedBiases are those of the form for devices.
func MergedBiases(p *Program) (map[Value]torch.Tensor, error) { return usesOf(p).mergedBiases() }
