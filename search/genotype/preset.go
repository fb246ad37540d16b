package genotype

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The names of the presets.
const (
	// PresetClassificationN3 is the published classification genotype with
	// three nodes, the 14 M parameter model on CIFAR.
	PresetClassificationN3 = "spikedhs-cla-n3"
)

var presets = map[string]func() Genotype{
	PresetClassificationN3: func() Genotype {
		return Genotype{
			Version:    FormatVersion,
			Name:       PresetClassificationN3,
			Origin:     "released code of SpikeDHS (NeurIPS 2022), retraining on CIFAR",
			Downsample: DownsampleNearest,
			Normal:     PublishedFeature(),
			Path:       []int{0, 0, 1, 1, 1, 2, 2, 2},
			Ops:        OpNames(),
		}
	},
}

// PublishedFeature returns the published cell of the classification network,
// which is also that of the feature network for stereo.
func PublishedFeature() Cell {
	return Cell{Nodes: 3, Edges: []Edge{{1, B3}, {0, B3}, {3, B5}, {2, B3}, {7, B3}, {8, B3}}}
}

// PublishedMatching returns the published cell of the stereo matching network.
func PublishedMatching() Cell {
	return Cell{Nodes: 3, Edges: []Edge{{0, B3}, {1, B5}, {4, B5}, {3, B5}, {8, B3}, {6, B3}}}
}

// Presets lists the names of all presets in alphabetical order.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Preset returns a genotype that comes with the package. Every call returns a
// copy of its own.
func Preset(name string) (Genotype, error) {
	build, ok := presets[name]
	if !ok {
		return Genotype{}, fmt.Errorf("%w: preset: %q is unknown; use one of %s", ErrInvalid, name, strings.Join(Presets(), ", "))
	}
	return build(), nil
}
