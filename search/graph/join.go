package graph

import "github.com/spikedhs/spikedhs/torch"

// Part is a range of channels of a value; Length 0 is all of it.
type Part struct {
	X             Value
	Start, Length int
}

func (o Part) tensor(r *Run) torch.Tensor {
	if o.Length == 0 {
		return r.At(o.X)
	}
	return r.Scope.Narrow(r.At(o.X), 1, o.Start, o.Length)
}

// Sum adds parts from left to right: the currents of a node's edges (eq. 3).
type Sum struct{ Parts []Part }

// Map reads other values.
func (o Sum) Map(at func(Value) Value) Op {
	parts := make([]Part, len(o.Parts))
	for i, p := range o.Parts {
		parts[i] = Part{at(p.X), p.Start, p.Length}
	}
	return Sum{parts}
}

// Run adds.
func (o Sum) Run(r *Run) torch.Tensor {
	total := o.Parts[0].tensor(r)
	if len(o.Parts) == 1 {
		return r.Scope.Detach(total) // the part goes when nobody reads it
	}
	for i, p := range o.Parts[1:] {
		sum := r.Scope.Add(total, p.tensor(r))
		if i > 0 {
			r.Scope.Free(total)
		}
		total = sum
	}
	return total
}

// Concat joins channels.
type Concat struct{ List []Value }

// Map reads other values.
func (o Concat) Map(at func(Value) Value) Op {
	list := make([]Value, len(o.List))
	for i, v := range o.List {
		list[i] = at(v)
	}
	return Concat{list}
}

// Run joins.
func (o Concat) Run(r *Run) torch.Tensor {
	tensors := make([]torch.Tensor, len(o.List))
	for i, v := range o.List {
		tensors[i] = r.At(v)
	}
	return r.Scope.Cat(tensors, 1)
}
