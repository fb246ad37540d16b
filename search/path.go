package search

import (
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
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

// gridOf is the height and width of a feature.
func gridOf(s *torch.Scope, x torch.Tensor) [2]int64 { return [2]int64{s.Size(x, 2), s.Size(x, 3)} }

// halved is a size of level 0 at another level.
func halved(size int64, level int) int64 {
	for range level {
		size = (size + 1) / 2
	}
	return size
}

// bring resizes x from a level to that of the cell, by nearest interpolation.
func (p place) bring(pass Pass, x torch.Tensor, from feature) torch.Tensor {
	if from.level <= p.level {
		return shrink(pass.Scope, x, p.level-from.level)
	}
	return pass.Scope.ResizeNearest(x, halved(pass.grid[0], p.level), halved(pass.grid[1], p.level))
}

// enlarge brings x to the grid of a finer level with one nearest interpolation: that
// of the program's images with their border, divided by the strides on the way and
// rounded up. Since halving rounds up, the grid cannot be told from x alone.
type enlarge struct {
	x            value
	pad, divisor int64
}

func (i enlarge) reads() []value { return []value{i.x} }

// grid is the size to be reached, of images [..., H, W].
func (i enlarge) grid(m *machine) (height, width int64) {
	shape := m.scope.Shape(m.input)
	if len(shape) < 2 {
		return 0, 0 // the run has failed, and says so
	}
	size := func(n int64) int64 { return (n + 2*i.pad + i.divisor - 1) / i.divisor }
	return size(shape[len(shape)-2]), size(shape[len(shape)-1])
}

func (i enlarge) run(m *machine) torch.Tensor {
	height, width := i.grid(m)
	return m.scope.ResizeNearest(m.at(i.x), height, width)
}

func (i enlarge) text(*Program) string {
	size := func(dimension int) string {
		return fmt.Sprintf("(%s.size(%d) + %d) // %d", input.name(), dimension, 2*i.pad+i.divisor-1, i.divisor)
	}
	return fmt.Sprintf("torch.upsample_nearest2d(%s, [%s, %s])", i.x.name(), size(-2), size(-1))
}
