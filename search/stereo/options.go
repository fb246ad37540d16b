package stereo

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
)

// Stems is how the layers in front of the feature network are laid out. f is
// the width; the cells' inputs have 3f channels. The paper tells only that there
// are two layers.
type Stems string

const (
	// StemsB are 3x3 convolutions in -> 3f/2 of stride 1 and 3f/2 -> 3f of stride
	// 3, the default: the network has the published 0.87 M parameters.
	StemsB Stems = "B"
	// StemsA are in -> 3f of stride 1 and 3f -> 3f of stride 3.
	StemsA Stems = "A"
	// StemsL are those of LEAStereo: as B, and 3f -> 3f of stride 1; the first
	// cell reads the second and the third stem.
	StemsL Stems = "L"
)

// Head is how the planes of the matching network become bins of disparity.
type Head string

const (
	// HeadGeometric interpolates where the bin lies: bin j is 2j px, which is
	// plane 2j/3 of 3 px each, the last plane beyond it. Bilinear in space.
	HeadGeometric Head = "geometric"
	// HeadTrilinear is plain trilinear interpolation with align_corners=False, as
	// in LEAStereo: bin j comes from plane (j + 1/2) D/bins - 1/2. It is up to
	// half a plane off and kept for comparison.
	HeadTrilinear Head = "trilinear"
)

const (
	// PlaneStep is the disparity from one plane of the feature volume to the
	// next, in pixels of the input: level 0 has a third of its resolution.
	PlaneStep = graph.PlaneStep
	// BinStep is the disparity from one bin of the cost to the next, in pixels.
	BinStep = 2
	// Levels is the number of resolution levels of the trellis.
	Levels = graph.Levels
)

// Options describe a stereo network around its cells.
type Options struct {
	// Channels is the number of input channels of a view: the bins of a stack of
	// events. Default 5.
	Channels int
	// Width is f: a node of level l has f*2^l channels. Default 8; 4 in search.
	Width int
	// MaxDisparity is the largest disparity in pixels, a multiple of 3: the volume
	// has MaxDisparity/3 planes and the cost (MaxDisparity+1)/2 bins. Default 63.
	MaxDisparity int
	// Steps is T, the stacks of a sequence. Default 5.
	Steps int
	// Neuron are the LIF constants of all neurons. Default [spike.Default].
	// Tau 0 with a threshold is the binary neuron of SpikeDHS-BN.
	Neuron spike.LIF
	// Temperature is b of the surrogate in stems, nodes and tails. Default 3.
	Temperature float64
	// Mixing is at the membrane by default, the paper's (MM); at the spike for
	// the search and for SpikeDHS without (MM).
	Mixing search.Mixing
	// Stem is the activation of the stems: spiking by default, analog for the
	// search.
	Stem search.Stem
	// Stems is their layout, [StemsB] by default.
	Stems Stems
	// Head is [HeadGeometric] by default.
	Head Head
	// SharedNorm lets all time steps share batch statistics. By default each step
	// has its own.
	SharedNorm bool
	// Precision is what convolutions compute in while training, [search.Float32]
	// by default. Statistics, membranes and the cost are float32.
	Precision search.Precision
	// Recompute, Unfused, FewLaunches and Candidates are those of [search.Options].
	Recompute, Unfused, FewLaunches bool
	Candidates                      []genotype.Op
	// TrellisLevels is how many levels a supernet has, the finest first, 1 to 4.
	// Default 4, as in the paper.
	TrellisLevels int
	// Deviation is the spread of a supernet's first alpha and beta. Default 1e-3.
	Deviation float64
}

// WithDefaults fills in what is zero.
func (o Options) WithDefaults() Options {
	o.Channels, o.Width = cmp.Or(o.Channels, 5), cmp.Or(o.Width, 8)
	o.MaxDisparity, o.Steps = cmp.Or(o.MaxDisparity, 63), cmp.Or(o.Steps, 5)
	o.TrellisLevels = cmp.Or(o.TrellisLevels, Levels)
	o.Neuron, o.Temperature = cmp.Or(o.Neuron, spike.Default()), cmp.Or(o.Temperature, spike.DefaultTemperature)
	o.Mixing, o.Stem = cmp.Or(o.Mixing, search.MixMembrane), cmp.Or(o.Stem, search.StemSpike)
	o.Stems, o.Head = cmp.Or(o.Stems, StemsB), cmp.Or(o.Head, HeadGeometric)
	o.Precision, o.Deviation = cmp.Or(o.Precision, search.Float32), cmp.Or(o.Deviation, 1e-3)
	return o
}

// candidates are the operations of a search.
func (o Options) candidates() []genotype.Op {
	if len(o.Candidates) == 0 {
		return genotype.Published()
	}
	return o.Candidates
}

// Planes is D, the planes of the feature volume.
func (o Options) Planes() int { return o.MaxDisparity / PlaneStep }

// Bins is the number of disparities that the cost tells apart: 0, 2, 4, ... px.
func (o Options) Bins() int { return (o.MaxDisparity + 1) / BinStep }

// ErrOptions is the cause of an error about options that make no network.
var ErrOptions = errors.New("invalid stereo options")

// Validate checks options whose defaults are filled in.
func (o Options) Validate() error {
	switch {
	case min(o.Channels, o.Width, o.MaxDisparity, o.Steps) <= 0:
		return fmt.Errorf("stereo: channels, width, max disparity and steps must be positive, are %d, %d, %d and %d: %w",
			o.Channels, o.Width, o.MaxDisparity, o.Steps, ErrOptions)
	case o.MaxDisparity%PlaneStep != 0 || o.Planes() < 2:
		return fmt.Errorf("stereo: max disparity must be a multiple of %d px and at least %d, is %d: %w",
			PlaneStep, 2*PlaneStep, o.MaxDisparity, ErrOptions)
	case o.Stems != StemsA && o.Stems != StemsB && o.Stems != StemsL:
		return fmt.Errorf("stereo: stems %q, want %q, %q or %q: %w", o.Stems, StemsA, StemsB, StemsL, ErrOptions)
	case o.Stems != StemsA && o.Width%2 != 0:
		return fmt.Errorf("stereo: stems %q need an even width, it is %d: %w", o.Stems, o.Width, ErrOptions)
	case o.Head != HeadGeometric && o.Head != HeadTrilinear:
		return fmt.Errorf("stereo: head %q, want %q or %q: %w", o.Head, HeadGeometric, HeadTrilinear, ErrOptions)
	case o.Mixing != search.MixSpike && o.Mixing != search.MixMembrane:
		return fmt.Errorf("stereo: mixing %q, want %q or %q: %w", o.Mixing, search.MixSpike, search.MixMembrane, ErrOptions)
	case o.Stem != search.StemSpike && o.Stem != search.StemReLU:
		return fmt.Errorf("stereo: stem %q, want %q or %q: %w", o.Stem, search.StemSpike, search.StemReLU, ErrOptions)
	case !slices.Contains(search.Precisions(), o.Precision):
		return fmt.Errorf("stereo: precision %q, want one of %q: %w", o.Precision, search.Precisions(), ErrOptions)
	case o.Temperature <= 0:
		return fmt.Errorf("stereo: temperature must be positive, is %g: %w", o.Temperature, ErrOptions)
	case o.Neuron.Tau < 0:
		return fmt.Errorf("stereo: tau must not be negative, is %g: %w", o.Neuron.Tau, ErrOptions)
	case o.TrellisLevels < 1 || o.TrellisLevels > Levels:
		return fmt.Errorf("stereo: trellis of %d levels, want 1 to %d: %w", o.TrellisLevels, Levels, ErrOptions)
	case o.Deviation < 0:
		return fmt.Errorf("stereo: deviation must not be negative, is %g: %w", o.Deviation, ErrOptions)
	}
	return nil
}

// cells are the options for the blocks of package search.
func (o Options) cells() search.Options {
	return search.Options{
		Steps: o.Steps, Neuron: o.Neuron, Temperature: o.Temperature, Mixing: o.Mixing,
		PerStepNorm: !o.SharedNorm, Precision: o.Precision, Recompute: o.Recompute, Unfused: o.Unfused,
		FewLaunches: o.FewLaunches, Candidates: o.Candidates,
	}
}
