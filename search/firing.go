package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
)

// FiringRate runs the program on images, as [Program.Run] takes them, and
// returns the share of all its neurons that fire in a time step, 0 to 1.
func (p *Program) FiringRate(images torch.Tensor) (float64, error) {
	s := torch.NewInference()
	var fired, neurons float64
	p.run(s, images, nil, func(c *torch.Scope, i instruction, spikes torch.Tensor) {
		if _, ok := i.(fire); !ok {
			return
		}
		count := 1.0
		for _, n := range c.Shape(spikes) {
			count *= float64(n)
		}
		fired += c.Item(c.Sum(c.Cast(spikes, torch.Float32)))
		neurons += count
	})
	if err := s.Close(); err != nil {
		return 0, fmt.Errorf("search: firing rate: %w", err)
	}
	return fired / max(neurons, 1), nil
}
