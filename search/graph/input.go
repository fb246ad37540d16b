package graph

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
)

// ErrInput is the cause of an error about inputs of a shape that a program does not take.
var ErrInput = errors.New("input does not fit")

// StepsFirst turns input with time as people have it, [N, T, C, H, W], into
// [T*N, C, H, W] with time slowest. It is the first node of a program whose input has time.
type StepsFirst struct{ X Value }

// Run puts time first.
func (o StepsFirst) Run(r *Run) torch.Tensor { return TimeFirst(r.Scope, r.At(o.X), r.Steps) }

// TimeFirst is [StepsFirst] of a tensor.
func TimeFirst(s *torch.Scope, x torch.Tensor, steps int) torch.Tensor {
	if shape := s.Shape(x); s.Err() == nil && (len(shape) != 5 || shape[1] != int64(steps)) {
		s.Fail(fmt.Errorf("graph: input of shape %v; want [N, %d, C, H, W]: %w", shape, steps, ErrInput))
		return torch.Tensor{}
	}
	return s.Tensor("aten::flatten.using_ints", s.Tensor("aten::transpose.int", x, 0, 1), 0, 1)
}

// Prepare pads and normalises images and puts channels last.
type Prepare struct {
	X               Value
	Pad             int
	Mean, Deviation int // constants [1, C, 1, 1]
}

// Run prepares images.
func (o Prepare) Run(r *Run) torch.Tensor {
	s, x := r.Scope, r.At(o.X)
	if o.Pad > 0 {
		n := int64(o.Pad)
		x = s.Tensor("aten::constant_pad_nd", x, []int64{n, n, n, n}, 0.0)
	}
	x = s.Tensor("aten::div.Tensor", s.Sub(x, r.Tensor(o.Mean)), r.Tensor(o.Deviation))
	return s.ChannelsLast(x)
}

// Repeat presents a value at every step.
type Repeat struct{ X Value }

// Run repeats.
func (o Repeat) Run(r *Run) torch.Tensor { return r.Scope.RepeatFirst(r.At(o.X), r.Steps) }

// Views puts the stacks of both views [T*N, C, H, W] into one batch [T*2N, C, H, W] and
// fills them up with zeros, see [Padded].
type Views struct{ Left, Right Value }

// Run joins the views.
func (o Views) Run(r *Run) torch.Tensor {
	return JoinViews(r.Scope, r.At(o.Left), r.At(o.Right), r.Steps)
}
