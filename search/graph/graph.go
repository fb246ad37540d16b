package graph

import "github.com/spikedhs/spikedhs/torch"

// Graph is a network as it is trained and searched: named nodes whose operations have
// parameters of their own. Wiring is written once, where the nodes are added; a [Program]
// is made of the same nodes by folding each.
type Graph struct {
	list
	results []Value
}

// Add appends an operation under a name and returns its value.
func (g *Graph) Add(name string, o Op) Value { return g.add(Node{name, o}) }

// Result makes a value one of those that [Graph.Forward] gives.
func (g *Graph) Result(v Value) { g.results = append(g.results, v) }

// Results are the values that [Graph.Forward] gives.
func (g *Graph) Results() []Value { return g.results }

// Nodes are the nodes in the order in which they run.
func (g *Graph) Nodes() []Node { return g.nodes }

// Forward runs the nodes in order and gives the results, no tensors where the pass has
// failed. pass is what the operations read beside their inputs ([Run].Pass); steps is T.
// What nobody reads any more goes at once, as far as its gradient does not need it.
func (g *Graph) Forward(s *torch.Scope, pass any, steps int, inputs ...torch.Tensor) []torch.Tensor {
	inner := s.Child()
	defer inner.Close()
	r := &Run{
		Owner: inner, Pass: pass, Steps: steps, inputs: inputs, values: make([]torch.Tensor, len(g.nodes)), parts: map[Value][]torch.Tensor{},
	}
	last := make([]int, len(g.nodes))
	copy(last, g.last)
	for _, v := range g.results {
		last[v] = len(g.nodes)
	}
	results := make([]torch.Tensor, len(g.results))
	for i, n := range g.nodes {
		step := inner.Child()
		r.Scope = step
		r.makes(Value(i), n.Op)
		if step.Close() != nil {
			return results
		}
		for _, v := range g.reads[i] {
			if v >= 0 && last[v] == i {
				r.free(v)
			}
		}
	}
	for i, v := range g.results {
		results[i] = inner.Return(r.values[v])
	}
	return results
}

// makes computes a value, or its parts.
func (r *Run) makes(v Value, o Op) {
	y := o.Run(r)
	if cutter, ok := o.(Cutter); ok {
		r.parts[v] = cutter.Cut(r, y)
	}
	if r.parts[v] == nil {
		r.values[v] = r.Scope.Return(y)
	}
	for _, part := range r.parts[v] {
		r.Scope.Return(part)
	}
}

// free frees a value that nobody reads any more.
func (r *Run) free(v Value) {
	r.Owner.Free(r.values[v])
	for _, part := range r.parts[v] {
		r.Owner.Free(part)
	}
}

// Part is a part of a value: that which the operation has cut itself, else a range of its
// channels.
func (r *Run) Part(p Part) torch.Tensor {
	if p.Length == 0 {
		return r.At(p.X)
	}
	if parts := r.parts[p.X]; p.Start/p.Length < len(parts) {
		return parts[p.Start/p.Length]
	}
	return r.Scope.Narrow(r.At(p.X), 1, p.Start, p.Length)
}

// Flat is the graph with all that is nested in the place of the nodes that hold it; names
// begin with those of the nodes.
func (g *Graph) Flat() *Graph {
	flat := &Graph{}
	flat.results = g.into(flat, "", Input)
	return flat
}

// into adds the nodes to another graph, where inputs are what the graph reads, and gives what
// has become of the results.
func (g *Graph) into(flat *Graph, prefix string, input func(i int) Value) []Value {
	now := make([]Value, len(g.nodes))
	at := func(v Value) Value {
		if i, ok := v.input(); ok {
			return input(i)
		}
		return now[v]
	}
	for i, n := range g.nodes {
		o := Map(n.Op, at)
		if nested, ok := o.(Nested); ok {
			inputs := Reads(o)
			now[i] = nested.Inside().into(flat, prefix+n.Name+".", func(i int) Value { return inputs[i] })[0]
		} else {
			now[i] = flat.Add(prefix+n.Name, o)
		}
	}
	results := make([]Value, len(g.results))
	for i, v := range g.results {
		results[i] = at(v)
	}
	return results
}
