package dgs

import "github.com/spikedhs/spikedhs/torch"

// scale is a factor of losses, 0 for none; see [Options.LossScale].
type scale float64

func (o *Options) scale() scale { return scale(o.LossScale) }

// loss is a loss times the factor.
func (f scale) loss(s *torch.Scope, value Tensor) Tensor {
	if f == 0 {
		return value
	}
	return s.Scale(value, float64(f))
}

// gradients are those of a loss.
func (f scale) gradients(s *torch.Scope, value Tensor, leaves []Tensor) []Tensor {
	return f.unscaled(s, s.GradientOf(f.loss(s, value), leaves))
}

// unscaled divides the gradients of a loss times the factor.
func (f scale) unscaled(s *torch.Scope, gradients []Tensor) []Tensor {
	if f == 0 {
		return gradients
	}
	c := s.WithoutGradient()
	defer c.Close()
	list := make([]Tensor, len(gradients))
	for i, g := range gradients {
		if torch.Defined(g) {
			list[i] = c.Return(c.Scale(g, 1/float64(f)))
		}
	}
	return list
}
