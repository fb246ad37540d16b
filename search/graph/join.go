package graph

import "github.com/spikedhs/spikedhs/torch"

// Part is a range of channels of a value; Length 0 is all of it.
type Part struct {
	X             Value
	Start, Length int
}

// Sum adds parts from left to right: the currents of a node's edges (eq. 3).
type Sum struct{ Parts []Part }

// Run adds.
func (o Sum) Run(r *Run) torch.Tensor {
	total := r.Part(o.Parts[0])
	if len(o.Parts) == 1 {
		return r.Scope.Detach(total) // the part goes when nobody reads it
	}
	for i, p := range o.Parts[1:] {
		sum := r.Scope.Add(total, r.Part(p))
		if i > 0 {
			r.Scope.Free(total)
		}
		total = sum
	}
	return total
}

// Concat joins channels.
type Concat struct{ List []Value }

// Run joins.
func (o Concat) Run(r *Run) torch.Tensor { return r.Scope.Cat(r.All(o.List), 1) }
