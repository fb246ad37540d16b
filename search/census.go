package search

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
	values  map[value]*tally
	slots   map[slot]*tally
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
	c := &census{p: p, values: map[value]*tally{}, slots: map[slot]*tally{}}
	for i, instruction := range p.list {
		if v, ok := layerInput(instruction); ok {
			c.values[v] = &tally{}
		}
		if _, ok := instruction.(fire); ok {
			c.values[value(i)] = &tally{}
		}
	}
	return c
}

// layerInput is what a convolution or linear layer reads.
func layerInput(i instruction) (value, bool) {
	switch i := i.(type) {
	case convolve:
		return i.x, true
	case classify:
		return i.x, true
	}
	return 0, false
}

// dense counts the tensor x of value v.
func (c *census) dense(s *torch.Scope, v value, x torch.Tensor) {
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

// packed counts the spikes that a step of the event-driven form has made.
func (c *census) packed(s *torch.Scope, step step, m *eventMachine) {
	if c.stopped || s.Err() != nil {
		return
	}
	switch i := step.(type) {
	case plain:
		c.dense(s, i.to, m.values[i.to])
	case *rate:
		c.dense(s, i.to, m.values[i.to])
	case *steadyFire:
		c.bits(s, i.to, m.packed[i.to.slot])
	case *layer:
		for _, to := range i.to {
			c.bits(s, to, m.packed[to.slot])
		}
	case *resize:
		c.bits(s, i.to, m.packed[i.to.slot])
	}
}

// bits counts a bit-packed tensor.
func (c *census) bits(s *torch.Scope, p piece, x torch.Tensor) {
	inner := s.Child()
	defer inner.Close()
	shape := inner.Shape(x)
	if len(shape) != 4 {
		return // the run has failed, and says so
	}
	grid := shape[1] * shape[2]
	// The mean over the grid in 32 bits, times the grid: a whole number but for rounding.
	rates := inner.Tensor("spikedhs::spike_rates", []torch.Tensor{x}, []int64{int64(p.channels)})
	counts := inner.Tensor("aten::round", inner.Scale(inner.Cast(rates, torch.Float64), float64(grid)))
	n := int64(inner.Item(inner.Sum(counts)))
	t := c.slots[p.slot]
	if t == nil {
		t = &tally{}
		c.slots[p.slot] = t
	}
	t.ones, t.signs, t.nonzero = t.ones+n, t.signs+n, t.nonzero+n
	c.frame(t, shape[0], int64(p.channels), shape[1], shape[2])
}

// frame adds the size of a tensor.
func (c *census) frame(t *tally, frames, channels, height, width int64) {
	if t.frames > 0 && (t.channels != channels || t.height != height || t.width != width) {
		c.err = fmt.Errorf("search: images of one size and of another, %dx%d behind %dx%d: %w", height, width, t.height, t.width, ErrCensus)
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
func (c *census) at(v value) tally {
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
// images: neurons give them, and copying, joining and picking pixels keeps them.
func (p *Program) spiking(v value) bool {
	if v == input {
		return false
	}
	switch i := p.list[v].(type) {
	case fire:
		return true
	case repeat:
		return p.spiking(i.x)
	case halve:
		return p.spiking(i.x)
	case concatenate:
		return !slices.ContainsFunc(i.list, func(v value) bool { return !p.spiking(v) })
	}
	return false
}

// image tells whether a value is the network's input, prepared.
func (p *Program) image(v value) bool {
	if v == input {
		return true
	}
	_, ok := p.list[v].(prepare)
	return ok
}
