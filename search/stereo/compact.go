package stereo

import (
	"slices"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
)

// compact is the form of a program for devices, where the number of kernels is what a
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
type compact struct {
	list []operation
	last []int // index of the operation that reads a value last
}

// newCompact makes the form in float32 of a program.
func newCompact(p *Program) (*compact, error) {
	u := usesOf(p)
	biases, err := u.mergedBiases()
	if err != nil {
		return nil, err
	}
	c := &compactor{
		uses: u, compact: &compact{}, biases: biases, now: make([]value, len(p.list)),
		stacks: map[value]value{}, resized: map[regrid]value{}, abreast: u.abreast(), cut: map[value]part{},
	}
	for i, instruction := range p.list {
		c.move(value(i), instruction)
	}
	return c.compact, p.scope.Err()
}

// compactor writes the form.
type compactor struct {
	*uses
	*compact
	biases  map[value]torch.Tensor
	now     []value          // by the values of the program, those in the form
	stacks  map[value]value  // by what is stacked
	resized map[regrid]value // what was brought to a level
	abreast []*abreast
	cut     map[value]part // values of the program that lie in one with others
}

// move writes what instruction v of the program computes.
func (c *compactor) move(v value, instruction instruction) {
	for _, a := range c.abreast {
		if c.moveAbreast(a, v, instruction) {
			return
		}
	}
	switch x := instruction.(type) {
	case convolve:
		c.now[v] = c.convolution(c.at(x.x), x, c.weight(x), c.biases[v])
	case regrid:
		x.x = c.at(x.x)
		if _, ok := c.resized[x]; !ok && x.deep {
			c.resized[x] = c.add(gather{x})
		} else if !ok {
			c.resized[x] = c.add(x)
		}
		c.now[v] = c.resized[x]
	case sum:
		c.now[v] = c.add(c.sum(x))
	case concatenate:
		c.now[v] = c.add(c.concatenate(x))
	case toBins:
		last := c.program.list[x.x].(convolve)
		mapping, bias := c.program.tapsToBins(c.biases[x.x])
		c.now[v] = c.add(tapsToBins{x: c.at(x.x), taps: last.kernel, mapping: mapping, bias: bias})
	default:
		c.now[v] = c.add(instruction.(movable).moved(c.at))
	}
}

// at is a value of the program in the form. One that lies with others is cut out when it
// is first asked for.
func (c *compactor) at(v value) value {
	if x, ok := c.cut[v]; ok && c.now[v] == 0 {
		c.now[v] = c.add(cut{x})
	}
	return c.now[v]
}

func (c *compactor) weight(x convolve) torch.Tensor { return c.program.tensors[x.weight].Value }

// convolution adds that of an instruction over a value of the form.
func (c *compactor) convolution(in value, x convolve, weight, bias torch.Tensor) value {
	conv := convolution{x: in, weight: weight, bias: bias, stride: x.stride, kernel: x.kernel, whole: x.whole, first: x.whole && x.planes == 0}
	if x.last { // the bins have its bias
		conv.weight, conv.bias = c.program.scope.Reshape(weight, x.kernel, -1, x.kernel, x.kernel), torch.Tensor{}
	} else if x.taps() > 1 {
		if _, ok := c.stacks[in]; !ok {
			c.stacks[in] = c.add(stack{in, x.planes})
		}
		conv.x = c.stacks[in]
	}
	return c.add(conv)
}

// taps is how many planes the convolution takes for each of its own.
func (i convolve) taps() int64 {
	if i.planes > 0 {
		return i.kernel
	}
	return 1
}

func (c *compactor) sum(x sum) sum {
	var other sum
	for _, p := range x.parts {
		if whole, ok := c.cut[p.x]; ok {
			other.parts = append(other.parts, whole)
		} else {
			other.parts = append(other.parts, part{c.at(p.x), p.start, p.length})
		}
	}
	return other
}

// concatenate takes neurons that fire at once, in their order, as one.
func (c *compactor) concatenate(x concatenate) concatenate {
	var other concatenate
next:
	for len(x.list) > 0 {
		for _, a := range c.abreast {
			if n := len(a.neurons); len(x.list) >= n && slices.Equal(x.list[:n], a.neurons) {
				other.list, x.list = append(other.list, a.fired), x.list[n:]
				continue next
			}
		}
		other.list, x.list = append(other.list, c.at(x.list[0])), x.list[1:]
	}
	return other
}

// movable operations read other values in another list.
type movable interface {
	operation
	moved(at func(value) value) operation
}

func (i joinViews) moved(func(value) value) operation  { return i }
func (i rectify) moved(at func(value) value) operation { return rectify{at(i.x)} }
func (i volume) moved(at func(value) value) operation  { return volume{at(i.x)} }
func (i fire) moved(at func(value) value) operation    { return fire{at(i.x), i.layer} }

func (c *compact) add(i operation) value {
	c.list, c.last = append(c.list, i), append(c.last, len(c.list))
	for _, v := range i.reads() {
		c.last[v] = len(c.list) - 1
	}
	return value(len(c.list) - 1)
}

// in16 is the form whose convolutions compute in an element type of 16 bits.
func (c *compact) in16(s *torch.Scope, dtype int8) *compact {
	other := &compact{list: append([]operation(nil), c.list...), last: c.last}
	for i, x := range other.list {
		conv, ok := x.(convolution)
		if !ok {
			continue
		}
		conv.compute = dtype
		if !conv.whole {
			conv.weight = s.Cast(conv.weight, dtype)
			if torch.Defined(conv.bias) {
				conv.bias = s.Cast(conv.bias, dtype)
			}
		}
		other.list[i] = conv
	}
	return other
}

// forDevice makes the forms of the program for devices.
func (p *Program) forDevice() (err error) {
	p.estimator = newEstimator(p.scope, p.scope.Device(p.constant), p.Options.Bins())
	p.compact, err = newCompact(p)
	return err
}

// form is the list to run at a precision, nil where the program runs as it is.
func (p *Program) form(precision search.Precision) *compact {
	if p.compact == nil || !precision.Short() {
		return p.compact
	}
	dtype := precision.Type()
	if p.short == nil {
		p.short = map[int8]*compact{}
	}
	if p.short[dtype] == nil {
		p.short[dtype] = p.compact.in16(p.scope, dtype)
	}
	return p.short[dtype]
}
