package search

import "github.com/spikedhs/spikedhs/torch"

// RunFast computes what [Program.Run] does in the event-driven form where there
// is one: on the CPU, when all convolutions but the first read spikes. The sums
// are float32 too but made in another order, so currents differ by rounding, and
// where a membrane lies that close to the threshold a spike may differ. The
// result of an image depends neither on its company nor on the number of
// threads. Calls must not overlap.
func (p *Program) RunFast(s *torch.Scope, images torch.Tensor) torch.Tensor {
	if !p.EventDriven() {
		return p.Run(s, images)
	}
	return p.events.run(p, s, images)
}

// EventDriven tells whether there is an event-driven form.
func (p *Program) EventDriven() bool {
	p.compiled.Do(func() { p.events = newEvents(p) })
	return p.events != nil
}

// RunHalf computes what [Program.Run] does with convolutions in bfloat16, but
// for the first. Spikes are exact in it; weights and currents have 8 bits, so
// more spikes differ than in [Program.RunFast]. Membranes and the head are
// float32.
func (p *Program) RunHalf(s *torch.Scope, images torch.Tensor) torch.Tensor {
	return p.runShort(s, images, BFloat16)
}

// runShort runs the form for convolutions of 16 bits.
func (p *Program) runShort(s *torch.Scope, images torch.Tensor, precision Precision) torch.Tensor {
	if p.half == nil || p.half.dtype != precision.Type() {
		p.half = newHalf(p, precision.Type())
	}
	return p.run(s, images, p.half, p.census)
}

// Runner is the fastest form in a precision: [Program.RunFast] in float32,
// [Program.RunHalf] in bfloat16, and the same with currents of 11 bits in float16.
func (p *Program) Runner(precision Precision) func(*torch.Scope, torch.Tensor) torch.Tensor {
	if precision.Short() {
		return func(s *torch.Scope, images torch.Tensor) torch.Tensor { return p.runShort(s, images, precision) }
	}
	return p.RunFast
}

// readsImage tells whether a convolution reads the image, not spikes.
func (m *machine) readsImage(c convolve) bool {
	if c.x == input {
		return true
	}
	_, first := m.list[c.x].(prepare)
	return first
}
