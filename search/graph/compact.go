package graph

import (
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// Compact makes the form of the program for devices, where the number of kernels is what a
// step of a stream takes: the same computation by fewer operators. Sums of currents and
// of planes are added in another order, so results differ by rounding.
//
//   - Planes are stacked with their neighbours once for all that convolve them, and a value
//     is brought to a level once.
//   - Planes, rows and columns are resized by one operator.
//   - Where currents are summed, so are their biases, and one convolution adds them.
//   - Nodes that the same inputs lead to are summed and fire at once; what reads them reads
//     them together.
//   - The last convolution leaves its taps; what makes bins of them sums the planes as well.
func (p *Program) Compact() error {
	u := usesOf(p)
	biases, err := u.mergedBiases()
	if err != nil {
		return err
	}
	c := &compactor{
		uses: u, list: &list{}, biases: biases, constants: map[Value]int{}, now: make([]Value, len(p.nodes)),
		stacks: map[Value]Value{}, resized: map[Regrid]Value{}, abreast: u.abreast(), cut: map[Value]Part{},
	}
	for i, n := range p.nodes {
		c.move(Value(i), n)
	}
	p.compact = c.list
	return p.scope.Err()
}

// compactor writes the form.
type compactor struct {
	*uses
	*list
	biases    map[Value]torch.Tensor
	constants map[Value]int    // of biases
	now       []Value          // by the values of the program, those in the form
	stacks    map[Value]Value  // by what is stacked
	resized   map[Regrid]Value // what was brought to a level
	abreast   []*abreast
	cut       map[Value]Part // values of the program that lie in one with others
}

func (c *compactor) put(o Op) Value { return c.add(Node{Op: o}) }

// move writes what node v of the program computes.
func (c *compactor) move(v Value, n Node) {
	for _, a := range c.abreast {
		if c.moveAbreast(a, v, n.Op) {
			return
		}
	}
	switch o := n.Op.(type) {
	case Conv:
		c.now[v] = c.convolution(c.at(o.X), o, c.program.Tensor(o.Weight), c.bias(v))
	case Regrid:
		o.X = c.at(o.X)
		if _, ok := c.resized[o]; !ok && o.Planes > 0 {
			c.resized[o] = c.put(gather{o})
		} else if !ok {
			c.resized[o] = c.put(o)
		}
		c.now[v] = c.resized[o]
	case Sum:
		c.now[v] = c.put(c.sum(o))
	case Concat:
		c.now[v] = c.put(c.concatenate(o))
	case Bins:
		last := c.program.nodes[o.X].Op.(Conv)
		mapping, bias := c.program.tapsToBins(o, c.biases[o.X])
		c.now[v] = c.put(tapsToBins{X: c.at(o.X), taps: last.Taps(), planes: o.Planes, mapping: mapping, bias: bias})
	default:
		c.now[v] = c.put(Map(o, c.at))
	}
}

// at is a value of the program in the form. One that lies with others is cut out when it
// is first asked for.
func (c *compactor) at(v Value) Value {
	if v < 0 {
		return v
	}
	if x, ok := c.cut[v]; ok && c.now[v] == 0 {
		c.now[v] = c.put(cut{x})
	}
	return c.now[v]
}

// bias is the constant of the bias of convolution v, none where it has none in the form.
func (c *compactor) bias(v Value) int {
	i, ok := c.constants[v]
	if !ok {
		i = c.program.derived(c.biases[v])
		c.constants[v] = i
	}
	return i
}

// derived registers a constant of another form of the program; none where there is no tensor.
func (p *Program) derived(t torch.Tensor) int {
	if !torch.Defined(t) {
		return none
	}
	p.constants = append(p.constants, torch.Variable{Value: t})
	return len(p.constants) - 1
}

// convolution adds that of a node over a value of the form.
func (c *compactor) convolution(in Value, o Conv, weight torch.Tensor, bias int) Value {
	conv := stackedConv{X: in, Bias: bias, Stride: o.Stride, Pad: o.Pad, Groups: o.Groups, Whole: o.Whole, first: o.Whole && o.Planes == 0}
	if o.Last { // the bins have its bias
		k := o.Taps()
		weight, conv.Bias = c.program.scope.Reshape(weight, k, -1, k, k), none
	} else if o.Taps() > 1 {
		if _, ok := c.stacks[in]; !ok {
			c.stacks[in] = c.put(stack{in, o.Planes})
		}
		conv.X = c.stacks[in]
	}
	conv.Weight = c.program.derived(weight)
	return c.put(conv)
}

func (c *compactor) sum(o Sum) Sum {
	var other Sum
	for _, p := range o.Parts {
		if whole, ok := c.cut[p.X]; ok {
			other.Parts = append(other.Parts, whole)
		} else {
			other.Parts = append(other.Parts, Part{c.at(p.X), p.Start, p.Length})
		}
	}
	return other
}

// concatenate takes neurons that fire at once, in their order, as one.
func (c *compactor) concatenate(o Concat) Concat {
	var other Concat
next:
	for len(o.List) > 0 {
		for _, a := range c.abreast {
			if n := len(a.neurons); len(o.List) >= n && slices.Equal(o.List[:n], a.neurons) {
				other.List, o.List = append(other.List, a.fired), o.List[n:]
				continue next
			}
		}
		other.List, o.List = append(other.List, c.at(o.List[0])), o.List[1:]
	}
	return other
}
