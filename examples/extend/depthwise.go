package main

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
)

// A candidate operation is one file: a 5x5 convolution in each channel, neurons, then
// a 1x1 convolution over the channels. That is all: parameters, multiply-accumulates, alpha,
// decoding, training, inference, exports and drawings follow from these nodes.
func init() {
	search.RegisterOperation(search.Operation{
		Name: "dw_5x5", Label: "dw5", Note: "depthwise 5×5",
		Add: func(e *search.EdgeBuilder, x graph.Value) graph.Value {
			x = e.Conv(x, search.ConvShape{In: e.In, Out: e.In, Kernel: 5, Groups: e.In, Stride: e.Stride, NoBias: true})
			x = e.Fire(x) // the next convolution reads spikes, and adds instead of multiplying
			return e.Conv(x, search.ConvShape{In: e.In, Out: e.Width})
		},
	})
}
