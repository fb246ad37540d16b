package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// census counts spikes while a program runs, in whichever form: the values that
// convolutions and linear layers read, and those that neurons give. Dense tensors
// are counted value by value; of bit-packed ones the bits are counted. The counts
// are whole numbers, so they do not depend on the batches that the images come in.
type census struct {
	p       *Program
	images  int64
	checked int64 // of them those of which every value was looked at
	values  map[Value]*tally
	slots   map[slot]*tally
	done    map[slot]bool // counted in this run
	stopped bool
	err     error
}

// tally is what was counted of one tensor.
type tally struct {
	total   int64 // elements
	frames  int64 // of an image and a step: the tensor's first dimension
	nonzero int64
	ones    int64
	signs   int64 // -1 and 1
	// Of a frame.
	channels, height, width int64
}

// ErrCensus is the cause of an error about spikes that could not be counted.
var ErrCensus = errors.New("spikes cannot be counted")

func newCensus(p *Program) *census {
	c := &census{p: p, values: map[Value]*tally{}, slots: map[slot]*tally{}, done: map[slot]bool{}}
	for i, n := range p.nodes {
		if v, ok := layerInput(n.Op); ok {
			c.values[v] = &tally{}
		}
		if _, ok := n.Op.(Fire); ok {
			c.values[Value(i)] = &tally{}
		}
	}
	return c
}

// layerInput is what a convolution or linear layer reads.
func layerInput(o Op) (Value, bool) {
	switch o := o.(type) {
	case Conv:
		return o.X, true
	case Classify:
		return o.X, true
	}
	return 0, false
}

// dense counts the tensor x of value v.
func (c *census) dense(s *torch.Scope, v Value, x torch.Tensor) {
	t := c.values[v]
	if t == nil || c.stopped || s.Err() != nil {
		return
	}
	shape := append(s.Shape(x), 1, 1)[:4] // [M, C] is a grid of one pixel
	count := func(x torch.Tensor) int64 { return int64(s.Item(s.Tensor("aten::count_nonzero", x))) }
	ones := count(s.Tensor("aten::eq.Scalar", x, 1))
	t.ones += ones
	t.signs += ones + count(s.Tensor("aten::eq.Scalar", x, -1))
	t.nonzero += count(x)
	c.frame(t, shape[0], shape[1], shape[2], shape[3])
}

// starting begins a run of the event-driven form: no slot is counted yet.
func (c *census) starting() { clear(c.done) }

// packed counts what a step of the event-driven form has read. A layer counts the
// spikes that enter it anyway, and rates over space are counts already.
func (c *census) packed(s *torch.Scope, step step, m *eventMachine) {
	if c.stopped || s.Err() != nil {
		return
	}
	switch i := step.(type) {
	case plain:
		c.dense(s, i.to, m.values[i.to])
	case *layer:
		counts, err := torch.ToSlice[int64](m.counts)
		if err != nil {
			s.Fail(fmt.Errorf("graph: count spikes: %w", err))
			return
		}
		for k, d := range i.drives {
			c.bits(s, d.from, m, func(*torch.Scope) int64 { return counts[k] })
		}
	case *rate:
		c.dense(s, i.to, m.values[i.to])
		start := 0
		for _, p := range i.from {
			c.bits(s, p, m, func(s *torch.Scope) int64 {
				return c.fromRates(s, s.Narrow(m.values[i.to], 1, start, p.channels), m.packed[p.slot])
			})
			start += p.channels
		}
	}
}

// leaving counts a slot that goes and that neither layers nor rates have read, such
// as the output of a cell in front of a down-sampling.
func (c *census) leaving(s *torch.Scope, from slot, m *eventMachine) {
	p := piece{from, c.p.events.channels[from]}
	c.bits(s, p, m, func(s *torch.Scope) int64 {
		x := m.packed[from]
		return c.fromRates(s, s.Tensor("spikedhs::spike_rates", []torch.Tensor{x}, []int64{int64(p.channels)}), x)
	})
}

// fromRates is the number of ones in the bit-packed x, by its means over space: in
// 32 bits, so that their product with the grid is a whole number but for rounding.
func (c *census) fromRates(s *torch.Scope, rates, x torch.Tensor) int64 {
	grid := float64(s.Size(x, 1) * s.Size(x, 2))
	counts := s.Tensor("aten::round", s.Scale(s.Cast(rates, torch.Float64), grid))
	return int64(s.Item(s.Sum(counts)))
}

// bits adds the count of a slot, once in a run.
func (c *census) bits(s *torch.Scope, p piece, m *eventMachine, count func(*torch.Scope) int64) {
	if c.stopped || c.done[p.slot] || s.Err() != nil {
		return
	}
	inner := s.Child()
	defer inner.Close()
	shape := inner.Shape(m.packed[p.slot])
	if len(shape) != 4 {
		return // the run has failed, and says so
	}
	t := c.slots[p.slot]
	if t == nil {
		t = &tally{}
		c.slots[p.slot] = t
	}
	n := count(inner)
	t.ones, t.signs, t.nonzero = t.ones+n, t.signs+n, t.nonzero+n
	c.frame(t, shape[0], int64(p.channels), shape[1], shape[2])
	c.done[p.slot] = true
}

// frame adds the size of a tensor.
func (c *census) frame(t *tally, frames, channels, height, width int64) {
	if t.frames > 0 && (t.channels != channels || t.height != height || t.width != width) {
		c.err = fmt.Errorf("graph: images of one size and of another, %dx%d behind %dx%d: %w", height, width, t.height, t.width, ErrCensus)
	}
	t.channels, t.height, t.width = channels, height, width
	t.frames += frames
	t.total += frames * channels * height * width
}

// ran notes that a batch is through, with the logits that came out.
func (c *census) ran(s *torch.Scope, logits torch.Tensor, dense bool) {
	if c.stopped || s.Err() != nil {
		return
	}
	n := s.Size(logits, 0)
	c.images += n
	if dense {
		c.checked += n
	}
}

// at is what was counted of a value, in both forms together.
func (c *census) at(v Value) tally {
	t := *c.values[v]
	if e := c.p.events; e != nil && len(c.slots) > 0 {
		pieces := e.forms[v].pieces
		for k, p := range pieces {
			if of := c.slots[p.slot]; of != nil {
				t.ones, t.signs, t.nonzero, t.total = t.ones+of.ones, t.signs+of.signs, t.nonzero+of.nonzero, t.total+of.total
				t.height, t.width = of.height, of.width
				if k == 0 {
					t.frames += of.frames
				}
			}
		}
		if len(pieces) > 0 {
			t.channels = 0
			for _, p := range pieces {
				t.channels += int64(p.channels)
			}
		}
	}
	return t
}

// rate is the share of elements that are not zero.
func (t tally) rate() float64 { return float64(t.nonzero) / float64(max(t.total, 1)) }

// spiking tells whether a value is made of spikes and nothing else, whatever the
// inputs: neurons give them, and copying, joining and picking pixels keeps them.
func (p *Program) spiking(v Value) bool {
	if v < 0 {
		return false
	}
	switch o := p.nodes[v].Op.(type) {
	case Fire:
		return true
	case Repeat, Halve, Enlarge, Regrid, Volume, Concat:
		return !slices.ContainsFunc(Reads(o), func(v Value) bool { return !p.spiking(v) })
	}
	return false
}

// image tells whether a value is the network's input, prepared.
func (p *Program) image(v Value) bool {
	if v < 0 {
		return true
	}
	switch p.nodes[v].Op.(type) {
	case Prepare, Views:
		return true
	}
	return false
}
