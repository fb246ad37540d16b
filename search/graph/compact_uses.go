package graph

import (
	"cmp"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// uses are what reads each value of a program.
type uses struct {
	program *Program
	readers [][]Value // by value, the numbers of the nodes
}

func usesOf(p *Program) *uses {
	u := &uses{program: p, readers: make([][]Value, len(p.nodes))}
	for i, reads := range p.reads {
		for _, v := range reads {
			if v < 0 {
				continue
			}
			u.readers[v] = append(u.readers[v], Value(i))
		}
	}
	return u
}

// sums are the sums that a convolution leads to, nil where anything else reads it.
func (u *uses) sums(v Value) []Value {
	if _, ok := u.program.nodes[v].Op.(Conv); !ok {
		return nil
	}
	for _, i := range u.readers[v] {
		if _, ok := u.program.nodes[i].Op.(Sum); !ok {
			return nil
		}
	}
	return u.readers[v]
}

// biasOf is that of a convolution.
func (u *uses) biasOf(v Value) torch.Tensor {
	return u.program.Tensor(u.program.nodes[v].Op.(Conv).Bias)
}

// mergedBiases are the biases of the convolutions. The bias of a current that is summed
// with others goes to one that leads to as many sums as can be; those that are left
// without, and those that are 0, have no tensor.
func (u *uses) mergedBiases() (map[Value]torch.Tensor, error) {
	p, s := u.program, u.program.scope
	merged, served := map[Value]torch.Tensor{}, map[Value]bool{}
	for {
		var keeper Value
		most := 0
		for v := range p.nodes {
			open := 0
			for _, i := range u.sums(Value(v)) {
				if !served[i] {
					open++
				}
			}
			if open > most {
				keeper, most = Value(v), open
			}
		}
		if most == 0 {
			break
		}
		merged[keeper] = s.Tensor("aten::zeros_like", u.biasOf(keeper))
		for _, i := range u.sums(keeper) {
			if !served[i] {
				served[i] = true
				u.addBiases(merged[keeper], keeper, p.nodes[i].Op.(Sum))
			}
		}
	}
	for i, n := range p.nodes {
		v := Value(i)
		if _, ok := n.Op.(Conv); ok && u.sums(v) == nil {
			merged[v] = u.biasOf(v)
		}
		if !torch.Defined(merged[v]) {
			continue
		}
		values, err := torch.ToSlice[float32](merged[v])
		if err != nil {
			return nil, err
		}
		if !anyOf(values) {
			delete(merged, v)
		}
	}
	return merged, s.Err()
}

// addBiases adds what a sum's currents bring of biases to the part that the keeper has in
// the sum.
func (u *uses) addBiases(to torch.Tensor, keeper Value, sum Sum) {
	s := u.program.scope.Child()
	defer s.Close()
	piece := func(bias torch.Tensor, x Part) torch.Tensor {
		if x.Length == 0 {
			return bias
		}
		return s.Narrow(bias, 0, x.Start, x.Length)
	}
	for _, x := range sum.Parts {
		if x.X != keeper {
			continue
		}
		for _, other := range sum.Parts {
			if u.sums(other.X) != nil {
				s.AddTo(piece(to, x), piece(u.biasOf(other.X), other))
			}
		}
		return
	}
}

func anyOf(values []float32) bool {
	for _, v := range values {
		if v != 0 {
			return true
		}
	}
	return false
}

// abreast are nodes whose currents come from the same two convolutions, which lead to
// nothing else: they can be summed and fire at once, side by side.
type abreast struct {
	of      [2]Value // the convolutions
	sums    []Value  // in the order of the channels
	neurons []Value
	width   int // channels of one
	// readers convolve one of the neurons each, in their order, for one sum that has no
	// other parts; nil where there are none such.
	readers []Value
	joined  Value // that sum

	total, fired Value // in the form
}

// abreast finds such nodes.
func (u *uses) abreast() []*abreast {
	var list []*abreast
	for i := range u.program.nodes {
		for j := range i {
			if a := u.nodesOf(Value(j), Value(i)); a != nil {
				u.readersOf(a)
				list = append(list, a)
			}
		}
	}
	return list
}

// nodesOf are the nodes between two convolutions, nil where they do not stand abreast.
func (u *uses) nodesOf(x, y Value) *abreast {
	sums := u.sums(x)
	if len(sums) < 2 || !slices.Equal(sums, u.sums(y)) {
		return nil
	}
	a := &abreast{of: [2]Value{x, y}, sums: slices.Clone(sums)}
	start := map[Value]int{}
	for _, v := range sums {
		parts := u.program.nodes[v].Op.(Sum).Parts
		if len(parts) != 2 || parts[0].Start != parts[1].Start || parts[0].Length != parts[1].Length || parts[0].Length == 0 {
			return nil
		}
		if a.width != 0 && parts[0].Length != a.width {
			return nil
		}
		start[v], a.width = parts[0].Start, parts[0].Length
	}
	slices.SortFunc(a.sums, func(v, w Value) int { return cmp.Compare(start[v], start[w]) })
	for k, v := range a.sums {
		if len(u.readers[v]) != 1 || start[v] != k*a.width {
			return nil
		}
		if _, ok := u.program.nodes[u.readers[v][0]].Op.(Fire); !ok {
			return nil
		}
		a.neurons = append(a.neurons, u.readers[v][0])
	}
	if int(u.program.scope.Size(u.biasOf(x), 0)) != len(a.sums)*a.width || u.program.scope.Size(u.biasOf(y), 0) != u.program.scope.Size(u.biasOf(x), 0) {
		return nil
	}
	return a
}

// readersOf finds the readers of nodes.
func (u *uses) readersOf(a *abreast) {
	var readers []Value
	for _, v := range a.neurons {
		for _, i := range u.readers[v] {
			if _, ok := u.program.nodes[i].Op.(Conv); ok {
				readers = append(readers, i)
			}
		}
	}
	if len(readers) != len(a.neurons) {
		return
	}
	for k, i := range readers {
		sums := u.sums(i)
		if c := u.program.nodes[i].Op.(Conv); c.Groups > 1 || c.X != a.neurons[k] || len(sums) != 1 || sums[0] != u.readers[readers[0]][0] {
			return
		}
	}
	a.joined = u.readers[readers[0]][0]
	for _, x := range u.program.nodes[a.joined].Op.(Sum).Parts {
		if x.Length != 0 || !slices.Contains(readers, x.X) {
			return
		}
	}
	a.readers = readers
}

// moveAbreast writes what belongs to nodes that fire at once, and tells whether v does.
func (c *compactor) moveAbreast(a *abreast, v Value, o Op) bool {
	switch k := slices.Index(a.neurons, v); {
	case slices.Contains(a.sums, v):
		if a.total == 0 {
			a.total = c.put(Sum{[]Part{{X: c.at(a.of[0])}, {X: c.at(a.of[1])}}})
		}
	case k >= 0:
		if a.fired == 0 {
			a.fired = c.put(Fire{a.total, c.program.nodes[a.neurons[0]].Op.(Fire).Layer})
		}
		c.cut[v] = Part{a.fired, k * a.width, a.width}
	case slices.Contains(a.readers, v):
		if v == slices.Max(a.readers) {
			c.now[a.joined] = c.readTogether(a, o.(Conv))
		}
	default:
		return a.readers != nil && v == a.joined
	}
	return true
}

// readTogether is the convolution that does what all readers do and sums it up.
func (c *compactor) readTogether(a *abreast, like Conv) Value {
	s := c.program.scope.Child()
	defer s.Close()
	var weights []torch.Tensor
	bias := none // one reader has that of all
	for _, v := range a.readers {
		o := c.program.nodes[v].Op.(Conv)
		weight := c.program.Tensor(o.Weight)
		shape := s.Shape(weight)
		if len(shape) != 4 {
			return 0 // the scope has failed, and says so
		}
		weights = append(weights, s.Reshape(weight, shape[0], o.Taps(), -1, shape[2], shape[3]))
		if torch.Defined(c.biases[v]) {
			bias = c.bias(v)
		}
	}
	weight := s.ChannelsLast(s.Tensor("aten::flatten.using_ints", s.Cat(weights, 2), 1, 2))
	return c.convolution(a.fired, like, s.Return(weight), bias)
}
