package classify

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// countedElsewhere is the number of images whose spikes are counted by default
// where that takes passes over all values: outside of the event-driven form.
const countedElsewhere = 500

// counter runs a program over a test set and counts the spikes of its first
// images. The first batch also goes through the program's plain list, where every
// value is looked at: what should be a spike must be 0 or 1.
type counter struct {
	program *graph.Program
	run     func(*torch.Scope, torch.Tensor) torch.Tensor
	limit   int // images to count, 0 for all
	counted int
	checked *graph.Activity
	err     error
}

// newCounter makes a counter; count is eval.count_images.
func newCounter(p *graph.Program, precision search.Precision, count int) *counter {
	c := &counter{program: p, run: p.Runner(precision.Compute()), limit: count}
	if count == 0 && (precision != search.Float32 || !p.EventDriven()) {
		c.limit = countedElsewhere
	}
	return c
}

// forward is the runner that counts.
func (c *counter) forward(s *torch.Scope, images torch.Tensor) torch.Tensor {
	if c.checked == nil && c.err == nil {
		c.checked, c.err = c.program.Measure(images)
		c.program.CountSpikes()
	}
	if c.err != nil {
		s.Fail(c.err)
		return torch.Tensor{}
	}
	if c.limit > 0 && c.counted >= c.limit {
		c.program.StopCounting()
	}
	logits := c.run(s, images)
	c.counted += int(s.Size(logits, 0))
	return logits
}

// activity is what was counted. A spiking network whose convolutions read
// something else than spikes behind its first layer is an error.
func (c *counter) activity(spiking bool) (*graph.Activity, error) {
	a, err := c.program.Activity()
	if err != nil {
		return nil, err
	}
	a.Checked = max(a.Checked, c.checked.Images)
	if spiking && !(a.Binary && c.checked.Binary) {
		return nil, fmt.Errorf("train: a convolution behind the stem reads analog values: %w", graph.ErrNotBinary)
	}
	return a, nil
}
