package graph

import (
	"reflect"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
)

// Table is a network as people and programs read it. It marshals to JSON.
type Table struct {
	// Inputs are the names of what the network reads; Row.Inputs calls the first -1, the
	// next -2.
	Inputs []string `json:"inputs"`
	Nodes  []Row    `json:"nodes"`
	// Parameters and MACs are the sums over the nodes.
	Parameters int64 `json:"parameters"`
	MACs       int64 `json:"macs"`
}

// Row is a node.
type Row struct {
	Name string `json:"name"`
	// Kind is what its operation is called: "conv", "node", "concat".
	Kind string `json:"kind"`
	// Inputs are the numbers of the nodes that it reads.
	Inputs []int `json:"inputs"`
	// Shape is images (views or planes), channels, height and width of its result in one
	// time step.
	Shape [4]int `json:"shape"`
	// Parameters are the numbers that are trained, or that are left of them.
	Parameters int64 `json:"parameters"`
	// MACs are the multiply-accumulates of one time step, borders counted like the rest.
	MACs int64 `json:"macs"`
	// Once says that the node runs once, not at every time step.
	Once bool `json:"once,omitempty"`
}

// Summing is an operation that reads more than what it sums, for a search of surrogates.
type Summing interface {
	Op
	Summed() []Value
}

// Cost is what an operation takes.
type Cost struct{ Parameters, MACs int64 }

// Table tells of the graph with all that is nested; cost tells what an operation takes that
// reads a value of shape x.
func (g *Graph) Table(names []string, cost func(o Op, x Shape) Cost, inputs ...Shape) Table {
	flat := g.Flat()
	return flat.table(names, flat.Shapes(inputs...), func(row *Row, o Op, x, _ Shape) Cost { return cost(o, x) })
}

// Table tells of the program.
func (p *Program) Table(inputs ...Shape) Table {
	return p.table(p.Inputs, p.Shapes(inputs...), func(row *Row, o Op, _, y Shape) Cost {
		weight, bias := none, none
		switch o := o.(type) {
		case Conv:
			weight, bias = o.Weight, o.Bias
		case Classify:
			weight, bias = o.Weight, o.Bias
		default:
			return Cost{}
		}
		row.Name = strings.TrimSuffix(p.constants[weight].Name, "_weight")
		n := Numel(p.Tensor(weight))
		return Cost{n + Numel(p.Tensor(bias)), n * int64(y.Images*y.Height*y.Width)}
	})
}

// Numel is how many numbers tensors have.
func Numel(tensors ...torch.Tensor) int64 {
	var sum int64
	for _, x := range tensors {
		shape, err := torch.Shape(x)
		if err != nil {
			continue // none, such as a bias that is not there
		}
		n := int64(1)
		for _, size := range shape {
			n *= size
		}
		sum += n
	}
	return sum
}

func (l *list) table(names []string, shapes func(Value) Shape, cost func(row *Row, o Op, x, y Shape) Cost) Table {
	t := Table{Inputs: names}
	for i, n := range l.nodes {
		y := shapes(Value(i))
		row := Row{
			Name: n.Name, Kind: strings.ToLower(strings.TrimSuffix(reflect.TypeOf(n.Op).Name(), "Op")), Inputs: []int{},
			Shape: [4]int{y.Images, y.Channels, y.Height, y.Width},
		}
		reads := l.reads[i]
		if o, ok := n.Op.(Summing); ok {
			reads = o.Summed()
		}
		for _, v := range reads {
			if !slices.Contains(row.Inputs, int(v)) {
				row.Inputs = append(row.Inputs, int(v))
			}
		}
		x := y
		if len(reads) > 0 {
			x = shapes(reads[0])
		}
		row.Once = x.Still
		c := cost(&row, n.Op, x, y)
		row.Parameters, row.MACs = c.Parameters, c.MACs
		t.Parameters, t.MACs = t.Parameters+c.Parameters, t.MACs+c.MACs
		t.Nodes = append(t.Nodes, row)
	}
	return t
}
