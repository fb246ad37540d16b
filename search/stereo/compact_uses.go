package stereo

import (
	"cmp"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// uses are what reads each value of a program.
type uses struct {
	program *Program
	readers [][]value // by value, the numbers of the instructions
}

func usesOf(p *Program) *uses {
	u := &uses{program: p, readers: make([][]value, len(p.list))}
	for i, instruction := range p.list {
		for _, v := range instruction.reads() {
			u.readers[v] = append(u.readers[v], value(i))
		}
	}
	return u
}

// sums are the sums that a convolution leads to, nil where anything else reads it.
func (u *uses) sums(v value) []value {
	if _, ok := u.program.list[v].(convolve); !ok {
		return nil
	}
	for _, i := range u.readers[v] {
		if _, ok := u.program.list[i].(sum); !ok {
			return nil
		}
	}
	return u.readers[v]
}

// bias is that of a convolution.
func (u *uses) bias(v value) torch.Tensor {
	return u.program.tensors[u.program.list[v].(convolve).bias].Value
}

// mergedBiases are the biases of the convolutions. The bias of a current that is summed
// with others goes to one that leads to as many sums as can be; those that are left
// without, and those that are 0, have no tensor.
func (u *uses) mergedBiases() (map[value]torch.Tensor, error) {
	p, s := u.program, u.program.scope
	merged, served := map[value]torch.Tensor{}, map[value]bool{}
	for {
		var keeper value
		most := 0
		for v := range p.list {
			open := 0
			for _, i := range u.sums(value(v)) {
				if !served[i] {
					open++
				}
			}
			if open > most {
				keeper, most = value(v), open
			}
		}
		if most == 0 {
			break
		}
		merged[keeper] = s.Tensor("aten::zeros_like", u.bias(keeper))
		for _, i := range u.sums(keeper) {
			if !served[i] {
				served[i] = true
				u.addBiases(merged[keeper], keeper, p.list[i].(sum))
			}
		}
	}
	for i, instruction := range p.list {
		v := value(i)
		if _, ok := instruction.(convolve); ok && u.sums(v) == nil {
			merged[v] = u.bias(v)
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
func (u *uses) addBiases(to torch.Tensor, keeper value, sum sum) {
	s := u.program.scope.Child()
	defer s.Close()
	piece := func(bias torch.Tensor, x part) torch.Tensor {
		if x.length == 0 {
			return bias
		}
		return s.Narrow(bias, 0, x.start, x.length)
	}
	for _, x := range sum.parts {
		if x.x != keeper {
			continue
		}
		for _, other := range sum.parts {
			if u.sums(other.x) != nil {
				s.AddTo(piece(to, x), piece(u.bias(other.x), other))
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
	of      [2]value // the convolutions
	sums    []value  // in the order of the channels
	neurons []value
	width   int // channels of one
	// readers convolve one of the neurons each, in their order, for one sum that has no
	// other parts; nil where there are none such.
	readers []value
	joined  value // that sum

	total, fired value // in the form
}

// abreast finds such nodes.
func (u *uses) abreast() []*abreast {
	var list []*abreast
	for i := range u.program.list {
		for j := range i {
			if a := u.nodesOf(value(j), value(i)); a != nil {
				u.readersOf(a)
				list = append(list, a)
			}
		}
	}
	return list
}

// nodesOf are the nodes between two convolutions, nil where they do not stand abreast.
func (u *uses) nodesOf(x, y value) *abreast {
	sums := u.sums(x)
	if len(sums) < 2 || !slices.Equal(sums, u.sums(y)) {
		return nil
	}
	a := &abreast{of: [2]value{x, y}, sums: slices.Clone(sums)}
	start := map[value]int{}
	for _, v := range sums {
		parts := u.program.list[v].(sum).parts
		if len(parts) != 2 || parts[0].start != parts[1].start || parts[0].length != parts[1].length || parts[0].length == 0 {
			return nil
		}
		if a.width != 0 && parts[0].length != a.width {
			return nil
		}
		start[v], a.width = parts[0].start, parts[0].length
	}
	slices.SortFunc(a.sums, func(v, w value) int { return cmp.Compare(start[v], start[w]) })
	for k, v := range a.sums {
		if len(u.readers[v]) != 1 || start[v] != k*a.width {
			return nil
		}
		if _, ok := u.program.list[u.readers[v][0]].(fire); !ok {
			return nil
		}
		a.neurons = append(a.neurons, u.readers[v][0])
	}
	if int(u.program.scope.Size(u.bias(x), 0)) != len(a.sums)*a.width || u.program.scope.Size(u.bias(y), 0) != u.program.scope.Size(u.bias(x), 0) {
		return nil
	}
	return a
}

// readersOf finds the readers of nodes.
func (u *uses) readersOf(a *abreast) {
	var readers []value
	for _, v := range a.neurons {
		for _, i := range u.readers[v] {
			if _, ok := u.program.list[i].(convolve); ok {
				readers = append(readers, i)
			}
		}
	}
	if len(readers) != len(a.neurons) {
		return
	}
	for k, i := range readers {
		sums := u.sums(i)
		if u.program.list[i].(convolve).x != a.neurons[k] || len(sums) != 1 || sums[0] != u.readers[readers[0]][0] {
			return
		}
	}
	a.joined = u.readers[readers[0]][0]
	for _, x := range u.program.list[a.joined].(sum).parts {
		if x.length != 0 || !slices.Contains(readers, x.x) {
			return
		}
	}
	a.readers = readers
}

// moveAbreast writes what belongs to nodes that fire at once, and tells whether v does.
func (c *compactor) moveAbreast(a *abreast, v value, instruction instruction) bool {
	switch k := slices.Index(a.neurons, v); {
	case slices.Contains(a.sums, v):
		if a.total == 0 {
			a.total = c.add(sum{[]part{{x: c.at(a.of[0])}, {x: c.at(a.of[1])}}})
		}
	case k >= 0:
		if a.fired == 0 {
			a.fired = c.add(fire{a.total, c.program.list[a.neurons[0]].(fire).layer})
		}
		c.cut[v] = part{a.fired, k * a.width, a.width}
	case slices.Contains(a.readers, v):
		if v == slices.Max(a.readers) {
			c.now[a.joined] = c.readTogether(a, instruction.(convolve))
		}
	default:
		return a.readers != nil && v == a.joined
	}
	return true
}

// readTogether is the convolution that does what all readers do and sums it up.
func (c *compactor) readTogether(a *abreast, like convolve) value {
	s := c.program.scope.Child()
	defer s.Close()
	var weights []torch.Tensor
	var bias torch.Tensor // one reader has that of all
	for _, v := range a.readers {
		x := c.program.list[v].(convolve)
		shape := s.Shape(c.weight(x))
		weights = append(weights, s.Reshape(c.weight(x), shape[0], x.taps(), -1, shape[2], shape[3]))
		if torch.Defined(c.biases[v]) {
			bias = c.biases[v]
		}
	}
	weight := s.ChannelsLast(s.Tensor("aten::flatten.using_ints", s.Cat(weights, 2), 1, 2))
	return c.convolution(a.fired, like, s.Return(weight), bias)
}
