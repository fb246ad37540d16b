package graph

import "github.com/spikedhs/spikedhs/torch"

// Halve shrinks the grid by two, as often as told, with one nearest interpolation.
type Halve struct {
	X     Value
	Times int
}

// Run shrinks.
func (o Halve) Run(r *Run) torch.Tensor { return Shrink(r.Scope, r.At(o.X), o.Times) }

// grid is the result's, from that of X.
func (o Halve) grid(_ *Run, height, width int64) (int64, int64) {
	return Halved(height, o.Times), Halved(width, o.Times)
}

// Halved is a size that is halved a number of times, rounded up.
func Halved(size int64, times int) int64 {
	for range times {
		size = (size + 1) / 2
	}
	return size
}

// Shrink halves height and width by nearest interpolation, rounding up, as often as told.
func Shrink(s *torch.Scope, x torch.Tensor, times int) torch.Tensor {
	if times == 0 {
		return x
	}
	return s.ResizeNearest(x, Halved(s.Size(x, 2), times), Halved(s.Size(x, 3), times))
}

// Enlarge brings X to the grid of a finer level with one nearest interpolation: that of the
// program's images with their border Pad, divided by the strides on the way and rounded
// up. Since halving rounds up, the grid cannot be told from X alone.
type Enlarge struct {
	X            Value
	Pad, Divisor int64
}

// grid is the size to be reached.
func (o Enlarge) grid(r *Run, _, _ int64) (int64, int64) {
	size := func(n int64) int64 { return (n + 2*o.Pad + o.Divisor - 1) / o.Divisor }
	height, width := r.Size()
	return size(height), size(width)
}

// Run enlarges.
func (o Enlarge) Run(r *Run) torch.Tensor {
	height, width := o.grid(r, 0, 0)
	return r.Scope.ResizeNearest(r.At(o.X), height, width)
}

// Regrid is nearest interpolation from one level to another, of volumes where Planes, the
// depth of level 0, is not 0.
type Regrid struct {
	X        Value
	From, To int
	Planes   int
}

// Run interpolates.
func (o Regrid) Run(r *Run) torch.Tensor {
	from, to := o.between(r)
	if from == to {
		return r.Scope.Clone(r.At(o.X)) // the source goes when nobody reads it
	}
	return Resize(r.Scope, r.At(o.X), from, to)
}

func (o Regrid) between(r *Run) (from, to Grid) {
	height, width := r.Size()
	grids := Grids(o.Planes, int(height), int(width))
	return grids[o.From], grids[o.To]
}
