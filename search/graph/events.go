package graph

import (
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
)

// events is the event-driven form of a program for the CPU. Its spikes are
// bit-packed; a layer is all the convolutions that drive the same neurons, the
// sum of their currents and the neurons, in one operator that adds up the
// weights of the spikes that changed. It is made from the program's list.
type events struct {
	list []step
	last []int // index of the step that reads a slot last
	// channels of each slot.
	channels []int
	// forms are what the values of the plain list have become.
	forms []form
	// scope owns the weights in the operator's order.
	scope *torch.Scope
}

// slot is the number of a packed tensor.
type slot int

// step is one instruction of the event-driven form.
type step interface {
	reads() []slot
	run(m *eventMachine)
}

// piece is a packed tensor with its number of channels.
type piece struct {
	slot     slot
	channels int
}

// drive is one convolution of packed spikes into a layer.
type drive struct {
	from   piece
	weight torch.Tensor // [Cout, Cin, K, K], then in the operator's order
	kernel int64
	stride int64
	name   string // of the convolution, "" for the identity
}

func (d drive) same(e drive) bool {
	return d.from == e.from && d.kernel == e.kernel && d.stride == e.stride && d.name == e.name
}

// form is what a value of the plain list has become.
type form struct {
	dense  bool    // a tensor as in the plain list
	steady bool    // a dense tensor of one step that is the same at every step
	value  Value   // where the dense tensor is
	pieces []piece // spikes
	drives []drive // the current that these convolutions and biases make
	biases []torch.Tensor
}

// compiler makes events from a program.
type compiler struct {
	*events
	p *Program
}

// newEvents compiles p; nil where it has a part that is not event-driven, such
// as an analog stem, or does not lie on the CPU.
func newEvents(p *Program) *events {
	if !p.onCPU() || !p.fires() || !torch.CPUKernels("events") {
		return nil // lies on a device, is an ANN, or nothing runs it
	}
	c := &compiler{events: &events{scope: p.scope}, p: p}
	for i, n := range p.nodes {
		f, ok := c.translate(Value(i), n.Op)
		if !ok {
			return nil
		}
		c.forms = append(c.forms, f)
	}
	if last := c.forms[len(c.forms)-1]; !last.dense || last.steady {
		return nil
	}
	c.merge()
	c.pack()
	c.lives()
	return c.events
}

// fires tells whether there are neurons in the program.
func (p *Program) fires() bool {
	return slices.ContainsFunc(p.nodes, func(n Node) bool { _, ok := n.Op.(Fire); return ok })
}

func (c *compiler) at(v Value) form {
	if v < 0 {
		return form{dense: true, value: v}
	}
	return c.forms[v]
}

// translate returns the form of an instruction's result; false: it has none.
func (c *compiler) translate(v Value, o Op) (form, bool) {
	switch i := o.(type) {
	case Conv:
		if x := c.at(i.X); !x.dense {
			return c.convolution(i, x)
		}
	case Repeat:
		x := c.at(i.X)
		return form{dense: true, steady: true, value: x.value}, x.dense && !x.steady
	case Fire:
		x := c.at(i.X)
		if stem, ok := c.stem(x); ok {
			p := c.packed(int(c.scope.Size(c.p.Tensor(stem.Bias), 0)))
			c.list = append(c.list, &packedFire{from: x.value, to: p.slot})
			return form{pieces: []piece{p}}, true
		}
		if !x.dense || x.steady {
			return c.neurons(v, x)
		}
	case Sum:
		return c.sum(i)
	case Concat:
		return c.join(i)
	case Halve:
		if x := c.at(i.X); len(x.pieces) > 0 {
			return c.resize(x, i.grid), true
		}
	case Enlarge:
		if x := c.at(i.X); len(x.pieces) > 0 {
			return c.resize(x, i.grid), true
		}
	case Pool:
		if x := c.at(i.X); len(x.pieces) > 0 {
			c.list = append(c.list, &rate{from: x.pieces, to: v})
			return form{dense: true, value: v}, true
		}
	}
	for _, x := range Reads(o) {
		if f := c.at(x); !f.dense || f.steady {
			return form{}, false
		}
	}
	c.list = append(c.list, plain{v, o})
	return form{dense: true, value: v}, true
}

// stem is the convolution of images with time that made a dense current.
func (c *compiler) stem(x form) (Conv, bool) {
	if !c.p.Temporal() || !x.dense || x.steady || x.value < 0 {
		return Conv{}, false
	}
	stem, ok := c.p.nodes[x.value].Op.(Conv)
	return stem, ok
}

// packed makes a slot for new spikes.
func (c *compiler) packed(channels int) piece {
	c.channels = append(c.channels, channels)
	return piece{slot(len(c.channels) - 1), channels}
}

func (c *compiler) convolution(i Conv, x form) (form, bool) {
	weight := c.p.constants[i.Weight]
	kernel := c.scope.Size(weight.Value, 3)
	if len(x.pieces) == 0 || i.Groups > 1 || i.Pad != kernel/2 || kernel%2 == 0 {
		return form{}, false
	}
	f := form{biases: []torch.Tensor{c.p.Tensor(i.Bias)}}
	start := 0
	for _, p := range x.pieces {
		f.drives = append(f.drives, drive{
			from: p, weight: c.scope.Narrow(weight.Value, 1, start, p.channels), kernel: kernel, stride: i.Stride,
			name: strings.TrimSuffix(weight.Name, "_weight"),
		})
		start += p.channels
	}
	return f, true
}

// neurons fire: under a steady current, or driven by convolutions.
func (c *compiler) neurons(v Value, x form) (form, bool) {
	if x.steady {
		stem, ok := c.p.nodes[x.value].Op.(Conv)
		if !ok {
			return form{}, false
		}
		p := c.packed(int(c.scope.Size(c.p.Tensor(stem.Bias), 0)))
		c.list = append(c.list, &steadyFire{from: x.value, to: p})
		return form{pieces: []piece{p}}, true
	}
	if len(x.drives) == 0 {
		return form{}, false
	}
	channels := int(c.scope.Size(x.drives[0].weight, 0))
	bias := x.biases[0]
	for _, b := range x.biases[1:] {
		bias = c.scope.Add(bias, b)
	}
	l := &layer{drives: x.drives, bias: bias}
	// Readers that cut the channels into parts find each in a tensor of its own.
	width := channels
	for _, reader := range c.p.nodes {
		if sum, ok := reader.Op.(Sum); ok {
			for _, part := range sum.Parts {
				if part.X == v && part.Length > 0 {
					width = part.Length
				}
			}
		}
	}
	for range channels / width {
		l.to = append(l.to, c.packed(width))
	}
	c.list = append(c.list, l)
	return form{pieces: l.to}, true
}

// sum joins what drives each part; spikes that are added as they are become
// convolutions with the identity.
func (c *compiler) sum(i Sum) (form, bool) {
	var f form
	for _, part := range i.Parts {
		x := c.at(part.X)
		switch {
		case len(x.drives) > 0:
			for _, d := range x.drives {
				if part.Length > 0 {
					d.weight = c.scope.Narrow(d.weight, 0, part.Start, part.Length)
				}
				f.drives = append(f.drives, d)
			}
			for _, b := range x.biases {
				if part.Length > 0 {
					b = c.scope.Narrow(b, 0, part.Start, part.Length)
				}
				f.biases = append(f.biases, b)
			}
		case len(x.pieces) > 0:
			pieces := x.pieces
			if part.Length > 0 {
				if pieces[0].channels != part.Length {
					return form{}, false
				}
				pieces = pieces[part.Start/part.Length:][:1]
			}
			c.identity(&f, pieces)
		default:
			return form{}, false
		}
	}
	return f, true
}

func (c *compiler) identity(f *form, pieces []piece) {
	channels := 0
	for _, p := range pieces {
		channels += p.channels
	}
	cpu, start := torch.CPU(), 0
	eye := c.scope.Tensor("aten::eye", channels, torch.Named{Name: "device", Value: cpu})
	eye = c.scope.Reshape(eye, int64(channels), int64(channels), 1, 1)
	for _, p := range pieces {
		f.drives = append(f.drives, drive{from: p, weight: c.scope.Narrow(eye, 1, start, p.channels), kernel: 1, stride: 1})
		start += p.channels
	}
	f.biases = append(f.biases, c.scope.Zeros(cpu, int64(channels)))
}

func (c *compiler) join(i Concat) (form, bool) {
	var f form
	for _, v := range i.List {
		x := c.at(v)
		if len(x.pieces) == 0 {
			return form{}, false
		}
		f.pieces = append(f.pieces, x.pieces...)
	}
	return f, true
}

func (c *compiler) resize(x form, grid func(m *Run, height, width int64) (int64, int64)) form {
	var f form
	for _, p := range x.pieces {
		to := c.packed(p.channels)
		c.list = append(c.list, &resize{from: p.slot, to: to, grid: grid})
		f.pieces = append(f.pieces, to)
	}
	return f
}

// merge joins layers with the same sources that follow each other: one walk over
// the spikes then serves all their channels.
func (c *compiler) merge() {
	var list []step
	for _, s := range c.list {
		if next, ok := s.(*layer); ok && len(list) > 0 {
			if before, ok := list[len(list)-1].(*layer); ok && before.sameSources(next) {
				for i := range before.drives {
					before.drives[i].weight = c.scope.Cat([]torch.Tensor{before.drives[i].weight, next.drives[i].weight}, 0)
				}
				before.bias = c.scope.Cat([]torch.Tensor{before.bias, next.bias}, 0)
				before.to = append(before.to, next.to...)
				continue
			}
		}
		list = append(list, s)
	}
	c.list = list
}

func (l *layer) sameSources(next *layer) bool {
	return slices.EqualFunc(l.drives, next.drives, drive.same)
}

// pack puts the weights into the operator's order.
func (c *compiler) pack() {
	for _, s := range c.list {
		l, ok := s.(*layer)
		if !ok {
			continue
		}
		for _, p := range l.to {
			l.channels = append(l.channels, int64(p.channels))
		}
		for _, d := range l.drives {
			l.sources = append(l.sources, d.from.slot)
			l.weights = append(l.weights, c.scope.Tensor("spikedhs::spike_weights", d.weight, l.channels))
			l.kernels = append(l.kernels, d.kernel)
			l.strides = append(l.strides, d.stride)
		}
	}
}

// lives notes where each slot is read last.
func (c *compiler) lives() {
	c.last = make([]int, len(c.channels))
	for i, s := range c.list {
		for _, from := range s.reads() {
			c.last[from] = i
		}
	}
}
