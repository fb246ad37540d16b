package torch

import (
	"cmp"
	"fmt"
	"slices"
)

// Mode says whether a forward pass trains or evaluates: batch normalisation
// uses the batch's statistics in the first case, the running ones in the other.
type Mode bool

const (
	// Evaluate uses running statistics and changes nothing.
	Evaluate Mode = false
	// Train uses batch statistics and updates the running ones.
	Train Mode = true
)

// ConvOptions are the options of a convolution; the zero value is a kernel of
// size 1, stride 1, no padding, with bias.
type ConvOptions struct {
	Kernel  int64 // side of the kernel, default 1
	Stride  int64 // default 1
	Padding int64 // zeros on each side, default 0
	NoBias  bool
	Groups  int64 // groups of channels that do not see each other, default 1
	// Compute is the element type that the convolution computes in and returns,
	// [BFloat16], [Float16] or, by default, that of its input. The weights stay float32.
	Compute int8
}

func (o ConvOptions) withDefaults() ConvOptions {
	o.Kernel, o.Stride, o.Groups = cmp.Or(o.Kernel, 1), cmp.Or(o.Stride, 1), cmp.Or(o.Groups, 1)
	return o
}

// Conv is a convolution over two or three dimensions.
type Conv struct {
	// Weight has shape [out, in / groups, kernel...]; Bias [out] may be no tensor.
	Weight, Bias Tensor
	// Options as given, with defaults filled in.
	Options ConvOptions

	name string
	dims int
	path Path
}

// NewConv2d makes a convolution of [N, in, H, W].
func NewConv2d(p Path, in, out int64, o ConvOptions) *Conv { return newConv(p, 2, in, out, o) }

// NewConv3d makes a convolution of [N, in, D, H, W].
func NewConv3d(p Path, in, out int64, o ConvOptions) *Conv { return newConv(p, 3, in, out, o) }

func newConv(p Path, dims int, in, out int64, o ConvOptions) *Conv {
	o = o.withDefaults()
	in /= o.Groups
	kernel := slices.Repeat([]int64{o.Kernel}, dims)
	shape, fanIn := append([]int64{out, in}, kernel...), in*elementsOf(kernel)
	c := &Conv{Options: o, name: p.Name(), dims: dims, path: p}
	init := FanIn(fanIn)
	if IsCUDA(p.Device()) {
		init = inOrder(init, kernelOrder(dims))
	}
	c.Weight = p.Parameter("weight", init, shape...)
	if !o.NoBias {
		c.Bias = p.Parameter("bias", FanIn(fanIn), out)
	}
	p.variables.convolutions = append(p.variables.convolutions, c)
	return c
}

// kernelOrder is how the weights of a convolution lie on a CUDA device, as dimensions
// from the slowest on: as the kernels want them for inputs with channels last, and
// as they give the gradient. Over three dimensions that is the order in which
// [Conv.ForwardPlanes] needs no copy.
func kernelOrder(dims int) []int64 {
	if dims == 3 {
		return []int64{0, 3, 4, 2, 1}
	}
	return []int64{0, 2, 3, 1}
}

// LeaveBiasOut says that training passes will not add the bias, because what comes
// next takes the mean out of each channel. To optimisers the gradient of the bias is
// then 0, not absent, so that weight decay still moves it.
func (c *Conv) LeaveBiasOut() {
	if c.Options.NoBias {
		return
	}
	v := c.path.variables
	if i, ok := v.index[c.path.prefix+"bias"]; ok {
		v.list[i].Follows = c.path.prefix + "weight"
	}
}

// Forward convolves x.
func (c *Conv) Forward(s *Scope, x Tensor) Tensor {
	defer s.Blame(c.name, s.Err())
	inner := s.Child()
	defer inner.Close()
	each := func(n int64) []int64 { return slices.Repeat([]int64{n}, c.dims) }
	weight, bias := inner.computeIn(c.Options.Compute, c.Weight), c.biasIn(inner)
	return inner.Return(inner.Tensor(fmt.Sprintf("aten::conv%dd", c.dims), inner.computeIn(c.Options.Compute, x),
		weight, bias, each(c.Options.Stride), each(c.Options.Padding), each(1), c.Options.Groups))
}

// biasIn is the bias in the type of the computation, nil where there is none.
func (c *Conv) biasIn(s *Scope) any {
	if !Defined(c.Bias) {
		return nil
	}
	return s.computeIn(c.Options.Compute, c.Bias)
}

// computeIn converts t to an element type; 0 leaves it as it is.
func (s *Scope) computeIn(dtype int8, t Tensor) Tensor {
	if dtype == 0 {
		return t
	}
	return s.Cast(t, dtype)
}

// BatchNorm normalises the channels (dimension 1) of a tensor of any rank.
// Time folded into the batch shares the statistics of all steps.
type BatchNorm struct {
	// Weight and Bias are the affine parameters, Mean and Variance the running
	// statistics, each of shape [channels].
	Weight, Bias, Mean, Variance Tensor

	name string
}

const (
	// BatchNormMomentum is the share of a batch in the running statistics.
	BatchNormMomentum = 0.1
	// BatchNormEpsilon is added to the variance.
	BatchNormEpsilon = 1e-5
)

// NewBatchNorm makes a normalisation of the given number of channels.
func NewBatchNorm(p Path, channels int64) *BatchNorm {
	return &BatchNorm{
		Weight:   p.Parameter("weight", Constant(1), channels),
		Bias:     p.Parameter("bias", Constant(0), channels),
		Mean:     p.Buffer("running_mean", Constant(0), channels),
		Variance: p.Buffer("running_var", Constant(1), channels),
		name:     p.Name(),
	}
}

// Forward normalises x.
func (b *BatchNorm) Forward(s *Scope, x Tensor, mode Mode) Tensor {
	defer s.Blame(b.name, s.Err())
	return s.Tensor("aten::batch_norm", x, b.Weight, b.Bias, b.Mean, b.Variance,
		bool(mode), BatchNormMomentum, BatchNormEpsilon, false)
}

// Linear is x W^T + b for x of shape [N, in].
type Linear struct {
	// Weight has shape [out, in], Bias [out].
	Weight, Bias Tensor

	name string
}

// NewLinear makes a linear layer.
func NewLinear(p Path, in, out int64) *Linear {
	return &Linear{
		Weight: p.Parameter("weight", FanIn(in), out, in),
		Bias:   p.Parameter("bias", FanIn(in), out),
		name:   p.Name(),
	}
}

// Forward applies the layer.
func (l *Linear) Forward(s *Scope, x Tensor) Tensor {
	defer s.Blame(l.name, s.Err())
	return s.Tensor("aten::linear", x, l.Weight, l.Bias)
}

// Fold returns weight and bias of the layer that does x -> norm(layer(x)) with
// the running statistics: w * g and (b - mean) * g + beta, where
// g = gamma / sqrt(variance + epsilon). It serves convolutions and linear
// layers; bias may be no tensor.
func (b *BatchNorm) Fold(s *Scope, weight, bias Tensor) (Tensor, Tensor) {
	c := s.WithoutGradient()
	defer c.Close()
	gain := c.Mul(b.Weight, c.Tensor("aten::rsqrt", c.Tensor("aten::add.Scalar", b.Variance, BatchNormEpsilon)))
	shape := slices.Repeat([]int64{1}, len(c.Shape(weight)))
	if len(shape) > 0 {
		shape[0] = -1
	}
	shift := c.Scale(b.Mean, -1)
	if Defined(bias) {
		shift = c.Sub(bias, b.Mean)
	}
	folded := c.Mul(weight, c.Reshape(gain, shape...))
	offset := c.Add(c.Mul(shift, gain), b.Bias)
	return c.Return(folded), c.Return(offset)
}
