package search

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/trellis"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Mixing is where the operations of a node come together (section 3.2.1).
type Mixing string

const (
	// MixSpike gives every operation neurons of its own; their spikes are
	// summed and drive the node's neurons. It tells surrogates apart.
	MixSpike Mixing = "spike"
	// MixMembrane sums the currents of the operations; only the node fires.
	MixMembrane Mixing = "membrane"
)

// Head is what turns the last cell's spikes into logits.
type Head string

const (
	// HeadLIF pools over space and fires before the linear layer.
	HeadLIF Head = "lif"
	// HeadRate pools over space and feeds the rates to the linear layer.
	HeadRate Head = "rate"
)

// Stem is the activation of the first layer.
type Stem string

const (
	// StemSpike fires; the network is spiking from its first layer on.
	StemSpike Stem = "dspike"
	// StemReLU is analog, for the search phase (section 3.2.2).
	StemReLU Stem = "relu"
)

// Precision is the element type of the convolutions.
type Precision string

const (
	// Float32 computes everything in 32 bits. It is the default.
	Float32 Precision = "float32"
	// BFloat16 convolves in 16 bits, in which spikes are exact: several times
	// faster on processors and GPUs that have instructions for it.
	BFloat16 Precision = "bfloat16"
	// Float16 convolves in 16 bits too, for GPUs that are fast in it and not in
	// bfloat16. Its numbers end at 65504 and begin at 6e-8, so gradients need a
	// [torch.LossScale].
	Float16 Precision = "float16"
)

// Precisions are all of them.
func Precisions() []Precision { return []Precision{Float32, BFloat16, Float16} }

// Type is the element type of the convolutions.
func (p Precision) Type() int8 {
	switch p {
	case BFloat16:
		return torch.BFloat16
	case Float16:
		return torch.Float16
	}
	return torch.Float32
}

// Compute is the element type for a convolution's options.
func (p Precision) Compute() int8 {
	if p.Short() {
		return p.Type()
	}
	return 0
}

// Short reports whether the convolutions have 16 bits.
func (p Precision) Short() bool { return p == BFloat16 || p == Float16 }

// Options describe a classification network around its cells.
type Options struct {
	// Channels and Classes are those of the data set.
	Channels, Classes int
	// Width is F: a node of level l has F*2^l channels.
	Width int
	// Levels is the resolution level of each cell's output. The first is 0 (that of
	// the stem) or 1, each next one at most one away; each level halves height and
	// width. With reduction cells no level is below the one before it.
	Levels []int
	// TrellisLevels is how many levels a [TrellisSupernet] has, the finest first, 1 to
	// 4. Default 4, as in the paper.
	TrellisLevels int
	// Steps is T, the number of time steps.
	Steps int
	// Temporal says that the input has time: another image at every step, [T*N, C,
	// H, W], time slowest, such as the stacks of an event camera. By default one image
	// [N, C, H, W] is presented at all steps.
	Temporal bool
	// Neuron are the LIF constants of all neurons, and the family of their
	// surrogate gradients.
	Neuron spike.LIF
	// Temperature is b of the surrogate in stem, nodes and heads.
	Temperature float64
	// Activation is what all neurons are; the default is [ActivationLIF].
	Activation Activation
	// StemStrides are the strides of the stem's layers, 3x3 convolutions one after
	// the other; none means one layer of stride 1. See stem.go for their widths.
	StemStrides []int
	// Mixing, Head and Stem; see their constants.
	Mixing Mixing
	Head   Head
	Stem   Stem
	// PerStepNorm gives each time step its own batch statistics. By default all
	// steps share them.
	PerStepNorm bool
	// Candidates are the operations of a search, the columns of alpha; by default those
	// of the paper. See [RegisterOperation].
	Candidates []genotype.Op
	// Precision is what the convolutions compute in while training; the default
	// is [Float32]. Weights, statistics, membranes and the heads are float32, and
	// so is the inference form.
	Precision Precision
	// Recompute keeps only the inputs of a cell for the backward pass and computes
	// what lies inside once more (activation checkpointing): less memory, more
	// time, the same numbers. Where the layers run one by one, on CUDA devices, a
	// pass needs a [Tape] for it.
	Recompute bool
	// Unfused trains by the layers one by one instead of by one operator a cell:
	// the reference that the operator is tested against.
	Unfused bool
	// FewLaunches takes the forms that launch few kernels on the CPU too. Elsewhere
	// they are always taken; they compute the same, up to rounding, layer by layer as
	// with Unfused.
	FewLaunches bool
	// AlphaDeviation is the spread of a supernet's first architecture weights,
	// which are normally distributed around 0.
	AlphaDeviation float64
	// Auxiliary adds the second classifier on the output of cell 2*cells/3,
	// used in training only.
	Auxiliary bool
}

// ErrOptions is the cause of an error about options that make no network.
var ErrOptions = errors.New("invalid network options")

// Validate checks ranges and constants.
func (o *Options) Validate() error {
	positive := []struct {
		name  string
		value int
	}{{"channels", o.Channels}, {"classes", o.Classes}, {"width", o.Width}, {"steps", o.Steps}}
	for _, p := range positive {
		if p.value <= 0 {
			return fmt.Errorf("search: %s must be positive, is %d: %w", p.name, p.value, ErrOptions)
		}
	}
	if len(o.Levels) == 0 {
		return fmt.Errorf("search: there must be at least one cell: %w", ErrOptions)
	}
	previous := 0
	for i, level := range o.Levels {
		if level < 0 || level < previous-1 || level > previous+1 {
			return fmt.Errorf("search: level of cell %d is %d after %d; levels start at 0 or 1 and change by at most 1: %w",
				i, level, previous, ErrOptions)
		}
		previous = level
	}
	if _, err := spike.ParseSurrogate(string(o.Neuron.Surrogate)); err != nil {
		return fmt.Errorf("search: %w: %w", err, ErrOptions)
	}
	switch {
	case o.Mixing != MixSpike && o.Mixing != MixMembrane:
		return fmt.Errorf("search: mixing %q, want %q or %q: %w", o.Mixing, MixSpike, MixMembrane, ErrOptions)
	case o.Head != HeadLIF && o.Head != HeadRate:
		return fmt.Errorf("search: head %q, want %q or %q: %w", o.Head, HeadLIF, HeadRate, ErrOptions)
	case o.Stem != StemSpike && o.Stem != StemReLU:
		return fmt.Errorf("search: stem %q, want %q or %q: %w", o.Stem, StemSpike, StemReLU, ErrOptions)
	case o.Precision != "" && !slices.Contains(Precisions(), o.Precision):
		return fmt.Errorf("search: precision %q, want one of %q: %w", o.Precision, Precisions(), ErrOptions)
	case o.Temperature <= 0:
		return fmt.Errorf("search: temperature must be positive, is %g: %w", o.Temperature, ErrOptions)
	case o.Activation != "" && o.Activation != ActivationLIF && o.Activation != ActivationReLU:
		return fmt.Errorf("search: activation %q, want %q or %q: %w", o.Activation, ActivationLIF, ActivationReLU, ErrOptions)
	case o.analog() && o.Steps != 1:
		return fmt.Errorf("search: activation %q knows no time: steps must be 1, not %d: %w", ActivationReLU, o.Steps, ErrOptions)
	case slices.ContainsFunc(o.StemStrides, func(n int) bool { return n < 1 || n > maxStemStride }):
		return fmt.Errorf("search: strides of the stem are %v, want 1 to %d: %w", o.StemStrides, maxStemStride, ErrOptions)
	case o.TrellisLevels < 0 || o.TrellisLevels > trellis.Levels:
		return fmt.Errorf("search: trellis of %d levels, want 1 to %d: %w", o.TrellisLevels, trellis.Levels, ErrOptions)
	case o.Neuron.Tau < 0:
		return fmt.Errorf("search: tau must not be negative, is %g: %w", o.Neuron.Tau, ErrOptions)
	}
	return nil
}

func (o *Options) trellisLevels() int {
	if o.TrellisLevels == 0 {
		return trellis.Levels
	}
	return o.TrellisLevels
}

// Pass is one forward pass.
type Pass struct {
	// Scope owns the results; temporaries are freed inside.
	Scope *torch.Scope
	// Mode is torch.Train or torch.Evaluate.
	Mode torch.Mode
	// Membranes, when given, hold the neurons' state from one pass to the next:
	// the input is the next piece of a stream, not a sequence from rest. Such a
	// pass evaluates.
	Membranes *Membranes

	// Tape, when given, notes the cells of a training pass whose inside is left out and
	// computed again in the backward pass; see [Tape]. It serves one pass.
	Tape *Tape

	// again says that a cell is computed a second time.
	again bool
	// together is what the pass does once for all layers; nil: every layer by itself.
	together *together
	// grid is the height and width of level 0 of the network: what cells need that
	// bring a feature to a finer level.
	grid [2]int64
	// moves are the weights of the moves of each trellis of the network.
	moves []*trellis.Weights
}

// in returns the same pass inside another scope.
func (p Pass) in(s *torch.Scope) Pass {
	p.Scope = s
	return p
}

// WithMoves returns the same pass with the weights of the moves of each trellis.
func (p Pass) WithMoves(moves ...*trellis.Weights) Pass {
	p.moves = moves
	return p
}

// Output is what a network gives.
type Output struct {
	// Logits has shape [N, classes], the mean over the time steps.
	Logits torch.Tensor
	// Auxiliary are the second classifier's logits; no tensor without one or
	// outside of training.
	Auxiliary torch.Tensor
}

// place is where a cell stands: what it reads and what it makes.
type place struct {
	name          string // of constants and membranes in the inference form
	channels      int    // of one node
	level, planes int
	reduction     bool
	s0, s1        feature // an s0 without channels is none
	// resizes says that the cell brings its inputs to its grid by nearest interpolation,
	// where their levels differ; elsewhere strides do it. strides are those of the stem,
	// altogether.
	resizes bool
	strides int
}

// feature describes a tensor between cells.
type feature struct {
	channels int
	level    int
}

// places lays the cells out: cell i+1 reads the s1 and the output of cell i.
func places(o *Options, nodes int, downsample genotype.Downsample) []place {
	stem := feature{channels: nodes * o.Width, level: 0}
	s0, s1 := stem, stem
	list := make([]place, len(o.Levels))
	for i, level := range o.Levels {
		channels := o.Width << level
		list[i] = place{
			name: fmt.Sprintf("cell%d", i), level: level, channels: channels, reduction: level > s1.level,
			s0: s0, s1: s1, resizes: downsample == genotype.DownsampleNearest, strides: o.strides(),
		}
		s0, s1 = s1, feature{channels: nodes * channels, level: level}
	}
	return list
}

// source is the feature that edges from src read.
func (p place) source(src genotype.Source) feature {
	switch src {
	case 0:
		return p.s0
	case 1:
		return p.s1
	}
	return feature{channels: p.channels, level: p.level}
}

// stride of the convolutions that read src: they do the down-sampling where it
// is not done by resizing.
func (p place) stride(src genotype.Source) int {
	if p.resizes {
		return 1
	}
	return 1 << (p.level - p.source(src).level)
}
