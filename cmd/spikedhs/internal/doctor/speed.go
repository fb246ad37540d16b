package doctor

import (
	"math"
	"time"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/wheel"
)

// slowMatmul is the GFLOP/s below which a matrix product has no good BLAS.
const slowMatmul = 20

// speed checks that libtorch and the shim compute right, and how fast.
func speed(loaded []string) []Check {
	s := torch.NewInference()
	defer s.Close()
	const side = 512
	a := s.Full(torch.CPU(), 1, side, side)
	product := s.Item(s.Mean(s.Matmul(a, a)))
	neurons := s.Item(s.Mean(spike.Default().Fire(s, s.Full(torch.CPU(), 1, 2, 4), s.Full(torch.CPU(), spike.DefaultTemperature, 1), 2)))
	if err := s.Err(); err != nil {
		return []Check{ok("operators", "%v", err).but(Fail, "%s", misfit())}
	}
	if math.Abs(product-side) > 1e-3 || neurons != 1 {
		return []Check{ok("operators", "a product of ones gives %g instead of %d, neurons fire %g instead of 1", product, side, neurons).
			but(Fail, "%s", wheel.Either("This PyTorch computes wrongly: install another.",
				"This libtorch computes wrongly: install another and run make build."))}
	}
	matmul := gigaflops(2*side*side*side, func(c *torch.Scope) { c.Matmul(a, a) })
	const images, channels, size, kernel = 16, 64, 32, 3
	x := s.Full(torch.CPU(), 1, images, channels, size, size)
	w := s.Full(torch.CPU(), 1, channels, channels, kernel, kernel)
	conv := gigaflops(2*images*channels*channels*size*size*kernel*kernel, func(c *torch.Scope) {
		c.Tensor("aten::conv2d", x, w, nil, []int64{1, 1}, []int64{1, 1})
	})
	if err := s.Err(); err != nil {
		return []Check{ok("operators", "%v", err).but(Fail, "%s", misfit())}
	}
	product32 := ok("matrix products", "%.0f GFLOP/s in float32", matmul)
	if matmul < slowMatmul {
		product32 = product32.but(Warn, "%s", slowAdvice(blas(loaded)))
	}
	return []Check{
		ok("operators", "libtorch and the shim compute as they should"), product32,
		ok("convolutions", "%.0f GFLOP/s in float32", conv),
	}
}

// gigaflops repeats work of so many operations for a tenth of a second and gives
// the rate of its best run.
func gigaflops(operations float64, work func(*torch.Scope)) float64 {
	best := math.Inf(1)
	for until := time.Now().Add(100 * time.Millisecond); ; {
		c := torch.NewInference()
		began := time.Now()
		work(c)
		best = min(best, time.Since(began).Seconds())
		if c.Close() != nil || time.Now().After(until) {
			return operations / best / 1e9
		}
	}
}
