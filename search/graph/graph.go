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
	r := &Run{Owner: inner, Pass: pass, Steps: steps, inputs: inputs, values: make([]torch.Tensor, len(g.nodes))}
	last := make([]int, len(g.nodes))
	copy(last, g.last)
	for _, v := range g.results {
		last[v] = len(g.nodes)
	}
	results := make([]torch.Tensor, len(g.results))
	for i, n := range g.nodes {
		step := inner.Child()
		r.Scope = step
		r.values[i] = step.Return(n.Op.Run(r))
		if step.Close() != nil {
			return results
		}
		for _, v := range g.reads[i] {
			if v >= 0 && last[v] == i {
				inner.Free(r.values[v])
			}
		}
	}
	for i, v := range g.results {
		results[i] = inner.Return(r.values[v])
	}
	return results
}
