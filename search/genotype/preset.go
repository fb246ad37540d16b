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
	// PresetClassificationN4 stands in for the classification genotype with four
	// nodes, which was not published: nodes 0 and 1 read s0 and s1, nodes 2 and 3
	// read nodes 0 and 1, after the pattern of the published cell of three. With
	// F = 36 it has 11.7 M parameters on CIFAR, with the levels and the stem for
	// ImageNet and F = 48 it has 59.6 M; the paper says 12 M and 58 M.
	PresetClassificationN4 = "spikedhs-cla-n4"
)

// classification is a published cell with the levels of the released network for CIFAR.
func classification(name, origin string, cell Cell) Genotype {
	levels := []int{0, 0, 1, 1, 1, 2, 2, 2}
	return Genotype{Name: name, Origin: origin, Subnets: []Subnet{{Name: Normal, Cell: cell, Levels: levels}}, Ops: OpNames()}
}

var presets = map[string]func() Genotype{
	PresetClassificationN3: func() Genotype {
		return classification(PresetClassificationN3, "released code of SpikeDHS (NeurIPS 2022), retraining on CIFAR", PublishedFeature())
	},
	PresetClassificationN4: func() Genotype {
		return classification(PresetClassificationN4,
			"stand-in of this project for the unpublished n4 genotype of SpikeDHS, of the size that the paper states",
			Cell{Nodes: 4, Edges: []Edge{{1, B3}, {0, B3}, {3, B5}, {2, B3}, {7, B3}, {8, B3}, {12, B5}, {11, B3}}})
	},
}

// PublishedFeature returns the published cell of the classification network, which is
// also that of the feature network over two views.
func PublishedFeature() Cell {
	return Cell{Nodes: 3, Edges: []Edge{{1, B3}, {0, B3}, {3, B5}, {2, B3}, {7, B3}, {8, B3}}}
}

// Presets lists the names of the presets that have subnets of all these names, of all
// presets without names, in alphabetical order.
func Presets(subnets ...string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(presets)), func(name string) bool { return !presets[name]().Has(subnets...) })
}

// Preset returns a genotype that comes with the package. Every call returns a
// copy of its own.
func Preset(name string) (Genotype, error) {
	build, ok := presets[name]
	if !ok {
		return Genotype{}, fmt.Errorf("%w: preset: %q is unknown; use one of %s", ErrInvalid, name, strings.Join(Presets(), ", "))
	}
	return build(), nil
}
