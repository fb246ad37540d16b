package torch

import "math"

// Init makes a variable's first values. Random ones are drawn on the CPU and
// then moved, so that one seed gives one network on every device.
type Init func(s *Scope, d Device, shape []int64) Tensor

// Constant fills with one value.
func Constant(value float64) Init {
	return func(s *Scope, d Device, shape []int64) Tensor { return s.Full(d, value, shape...) }
}

// Normal draws from the normal distribution with mean 0.
func Normal(deviation float64) Init {
	return func(s *Scope, d Device, shape []int64) Tensor {
		return onDevice(s, d, func(c *Scope) Tensor {
			return c.Scale(c.Randn(CPU(), shape...), deviation)
		})
	}
}

// Uniform draws from [-bound, bound).
func Uniform(bound float64) Init {
	return func(s *Scope, d Device, shape []int64) Tensor {
		return onDevice(s, d, func(c *Scope) Tensor {
			unit := c.Tensor("aten::rand", shape, Named{"dtype", Float32}, Named{"device", CPU()})
			return c.Tensor("aten::add.Scalar", c.Scale(unit, 2*bound), -bound)
		})
	}
}

// FanIn is PyTorch's default for convolution and linear weights and biases:
// uniform in 1/sqrt(fan in) either way.
func FanIn(fanIn int64) Init { return Uniform(1 / math.Sqrt(float64(max(fanIn, 1)))) }

// onDevice makes a tensor with temporaries that do not stay in s.
func onDevice(s *Scope, d Device, make func(*Scope) Tensor) Tensor {
	c := s.WithoutGradient()
	defer c.Close()
	t := make(c)
	if IsCUDA(d) {
		t = c.To(t, d)
	}
	return c.Return(t)
}

// Values fills with the given numbers, in C order.
func Values(values ...float64) Init {
	return func(s *Scope, d Device, shape []int64) Tensor {
		return onDevice(s, d, func(c *Scope) Tensor {
			return c.Cast(FromSlice(c, values, shape...), Float32)
		})
	}
}

// inOrder lays what init makes out in memory by an order of its dimensions, from the
// slowest on; the values stay.
func inOrder(init Init, order []int64) Init {
	back := make([]int64, len(order))
	for i, dim := range order {
		back[dim] = int64(i)
	}
	return func(s *Scope, d Device, shape []int64) Tensor {
		c := s.WithoutGradient()
		defer c.Close()
		laid := c.Clone(c.Contiguous(c.Tensor("aten::permute", init(c, d, shape), order)))
		return c.Return(c.Tensor("aten::permute", laid, back))
	}
}
