package graph

import "github.com/spikedhs/spikedhs/torch"

// RunFast computes what [Program.Run] does in the event-driven form where there
// is one: on the CPU, when all convolutions but the first read spikes. The sums
// are float32 too but made in another order, so currents differ by rounding, and
// where a membrane lies that close to the threshold a spike may differ. The
// result of an image depends neither on its company nor on the number of
// threads.
func (p *Program) RunFast(s *torch.Scope, inputs ...torch.Tensor) torch.Tensor {
	if !p.EventDriven() {
		return p.Run(s, inputs...)
	}
	return p.events.run(p, s, inputs)
}

// EventDriven tells whether there is an event-driven form.
func (p *Program) EventDriven() bool {
	p.compiled.Do(func() { p.events = newEvents(p) })
	return p.events != nil
}

// Runner is the fastest form for an element type: [Program.RunFast] for 0, which is
// float32, and convolutions in 16 bits otherwise.
func (p *Program) Runner(dtype int8) func(*torch.Scope, torch.Tensor) torch.Tensor {
	return func(s *torch.Scope, images torch.Tensor) torch.Tensor {
		if dtype == 0 {
			return p.RunFast(s, images)
		}
		return p.RunWith(s, Settings{Type: dtype}, images)
	}
}
