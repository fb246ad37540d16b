package search

import (
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// launchFew rewrites the layers of a mixed cell to the form that launches few kernels: the
// weights of all operations are picked at once, and what a source brings to all nodes that
// are left is one tensor, [T*N, nodes, width, H, W].
func launchFew(g *graph.Graph, p torch.Path, o *Options) *graph.Graph {
	left, skips := 0, map[graph.Value][]int{} // by source, the places of the identities' weights
	for _, n := range g.Nodes() {
		switch o := n.Op.(type) {
		case scaleOp:
			skips[o.X] = append(skips[o.X], o.place)
		case nodeOp:
			left++
		}
	}
	few, picked := &graph.Graph{}, &picks{compute: o.Precision.Compute()}
	weights := few.Add("weights", picksOp{graph.Input(0), picked})
	now := map[graph.Value]graph.Value{}
	at := func(v graph.Value) graph.Value {
		if v < 0 {
			return v
		}
		return now[v]
	}
	var total []graph.Part // none, or what the nodes that are left have got so far
	for i, n := range g.Nodes() {
		v := graph.Value(i)
		switch o := n.Op.(type) {
		case mixOp:
			source := g.Nodes()[o.X].Op.(convOp).X
			total = append(total, graph.Part{X: few.Add(n.Name, mixAllOp{
				X: at(o.X), Source: at(source), wide: o.wide, Weights: picked.add(weights, o.places), Skips: picked.add(weights, skips[source]),
				skip: len(skips[source]) > 0,
			})})
			if len(total) > 1 {
				total = []graph.Part{{X: few.Add(n.Name+".total", graph.Sum{Parts: total})}}
			}
		case nodeOp:
			current := total[0]
			if left--; left > 0 {
				cut := few.Add(n.Name+".cut", firstOp{total[0].X, left})
				current, total = graph.Part{X: cut, Length: 1}, []graph.Part{{X: cut, Start: 1, Length: 1}}
			}
			x := few.Add(n.Name+".current", currentOp{current})
			o.Edges = []incoming{{Part: graph.Part{X: x}, From: x}}
			now[v] = few.Add(n.Name, o)
		case bringOp, convOp, graph.Concat:
			now[v] = few.Add(n.Name, graph.Map(n.Op, at))
		}
	}
	few.Result(now[g.Results()[0]])
	picked.places = torch.Fixed(p, picked.list, int64(len(picked.list)))
	return few
}

// picks are the weights of operations, picked at once.
type picks struct {
	list    []int64      // places among the weights of all edges
	places  torch.Tensor // of them
	sizes   []int64      // how many weights each part has
	compute int8         // element type of what is mixed, 0: float32
}

// add makes some weights the next part of a value.
func (p *picks) add(v graph.Value, places []int) graph.Part {
	for _, place := range places {
		p.list = append(p.list, int64(place))
	}
	p.sizes = append(p.sizes, int64(len(places)))
	return graph.Part{X: v, Start: len(p.sizes) - 1, Length: 1}
}

// picksOp picks weights, which are read in parts.
type picksOp struct {
	X graph.Value
	*picks
}

func (o picksOp) Run(r *graph.Run) torch.Tensor {
	picked := r.Scope.Tensor("aten::index_select", r.Scope.Reshape(r.At(o.X), -1), 0, o.places)
	if o.compute != 0 {
		picked = r.Scope.Cast(picked, o.compute)
	}
	return picked
}

// Cut gives the parts.
func (o picksOp) Cut(r *graph.Run, y torch.Tensor) []torch.Tensor {
	return r.Scope.Parts(y, 0, o.sizes)
}

// mixAllOp is what the edges from a source bring to the nodes that they lead to,
// [T*N, edges, width, H, W].
type mixAllOp struct {
	X, Source      graph.Value
	Weights, Skips graph.Part
	wide           *ConvBlock
	skip           bool // identities lead from the source as well
}

func (o mixAllOp) Run(r *graph.Run) torch.Tensor {
	s := r.Scope
	mixed := o.wide.mix(s, r.At(o.X), r.Part(o.Weights))
	if o.skip {
		skips := s.Reshape(r.Part(o.Skips), 1, -1, 1, 1, 1)
		mixed = s.Add(mixed, s.Mul(s.Tensor("aten::unsqueeze", r.At(o.Source), 1), skips))
	}
	return mixed
}

// firstOp cuts what the first node gets off what others get as well.
type firstOp struct {
	X      graph.Value
	others int
}

func (o firstOp) Run(r *graph.Run) torch.Tensor { return r.At(o.X) }

// Cut gives both parts.
func (o firstOp) Cut(r *graph.Run, y torch.Tensor) []torch.Tensor {
	return r.Scope.Parts(y, 1, []int64{1, int64(o.others)})
}

// currentOp is what one node gets, [T*N, width, H, W].
type currentOp struct{ graph.Part }

// Run copies to dense memory, which neurons read in both passes: one copy serves them.
func (o currentOp) Run(r *graph.Run) torch.Tensor {
	return r.Scope.ChannelsLast(r.Scope.Tensor("aten::squeeze.dim", r.Part(o.Part), 1))
}
