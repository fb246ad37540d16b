package search

import (
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/search/genotype"
)

// checkPath tells whether the network of a genotype can have the levels of o: those
// of the genotype's own path, if it follows one, and only deeper ones where
// reduction cells do the down-sampling, which have no counterpart.
func (o *Options) checkPath(g genotype.Genotype) error {
	if !g.Has(genotype.Normal) {
		return fmt.Errorf("search: genotype %s is of no chain of cells: it has no subnet %s: %w", g.Name, genotype.Normal, ErrOptions)
	}
	if g.FollowsPath() && !slices.Equal(g.Path(), o.Levels) {
		return fmt.Errorf("search: the levels are %v, but genotype %s follows its path %v; take that for the levels: %w",
			o.Levels, g.Name, g.Path(), ErrOptions)
	}
	return o.checkDescent(g.Downsample())
}

func (o *Options) checkDescent(d genotype.Downsample) error {
	if d == genotype.DownsampleNearest {
		return nil
	}
	for i := 1; i < len(o.Levels); i++ {
		if o.Levels[i] < o.Levels[i-1] {
			return fmt.Errorf("search: level of cell %d is %d after %d; reduction cells only halve, down-sampling %q goes both ways: %w",
				i, o.Levels[i], o.Levels[i-1], genotype.DownsampleNearest, ErrOptions)
		}
	}
	return nil
}
