package classify

import (
	"context"
	"fmt"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// Evaluation is the accuracy of a network on a set of images.
type Evaluation struct {
	// Top1 and Top5 are the shares, in percent, of images whose label is the
	// first guess, or among the first five.
	Top1 float64 `json:"top1"`
	Top5 float64 `json:"top5"`
	// Loss is the mean cross entropy in nats.
	Loss float64 `json:"loss"`
	// Images is the number of images.
	Images int `json:"images"`
	// Parameters is the number of trained numbers of the network.
	Parameters int64 `json:"parameters"`
	// Confusion counts images by label (row) and first guess (column).
	Confusion [][]int `json:"confusion"`
	// Classes are the names of the rows and columns.
	Classes []string `json:"classes"`
	// Activity is how often the neurons fired, and the operations and energy that
	// follow from it; nil where nothing was counted.
	Activity *graph.Activity `json:"activity,omitempty"`
}

// Percent is the top-1 accuracy.
func (e Evaluation) Percent() float64 { return e.Top1 }

// Fields are loss and accuracies.
func (e Evaluation) Fields() []task.Number {
	return []task.Number{{Name: "loss", Value: e.Loss, Chart: true}, {Name: "top1", Value: e.Top1, Chart: true}, {Name: "top5", Value: e.Top5}}
}

// From changes nothing: the weights are the last ones.
func (e Evaluation) From(string, int) task.Evaluation { return e }

// String is the top-1 accuracy.
func (e Evaluation) String() string { return fmt.Sprintf("top-1 %.2f %%", e.Top1) }

// counts sums up an evaluation.
type counts struct {
	Evaluation
	loss        float64
	first, five int
}

// Add takes the logits of a batch.
func (m *counts) Add(s *torch.Scope, b *data.Batch, x task.Tensors, logits torch.Tensor) error {
	labels := b.Labels
	classes := int(s.Size(logits, 1))
	m.loss += s.Item(s.CrossEntropy(logits, x.Target)) * float64(b.N)
	guesses, err := torch.ToSlice[int64](s.TopK(logits, min(5, classes)))
	if err != nil {
		return err
	}
	if m.Confusion == nil {
		m.Confusion = make([][]int, classes)
		for i := range m.Confusion {
			m.Confusion[i] = make([]int, classes)
		}
	}
	width := len(guesses) / b.N
	for i, label := range labels {
		row := guesses[i*width : (i+1)*width]
		m.Confusion[label][row[0]]++
		for place, guess := range row {
			if guess == label {
				m.five++
				if place == 0 {
					m.first++
				}
			}
		}
	}
	m.Images += b.N
	return nil
}

func (m *counts) result() Evaluation {
	n := float64(max(m.Images, 1))
	m.Top1, m.Top5, m.Loss = 100*float64(m.first)/n, 100*float64(m.five)/n, m.loss/n
	return m.Evaluation
}

// Evaluate runs the folded network over the images of a part and counts its spikes on the
// way.
func (n *Network) Evaluate(ctx context.Context, part task.Part, on task.Measuring) (task.Evaluation, error) {
	sets := n.problem.sets
	set := sets.of(part)
	p, err := n.Folded()
	if err != nil {
		return nil, err
	}
	defer p.Close()
	loader, err := sets.plainLoader(n.config, set)
	if err != nil {
		return nil, err
	}
	d := n.Variables().Device()
	count := newCounter(p, task.EvalPrecision(n.config, d), n.config.Eval.CountImages)
	m := new(counts)
	forward := func(s *torch.Scope, x task.Tensors) torch.Tensor { return count.forward(s, x.Inputs[0]) }
	if err := task.Measure(ctx, d, loader, forward, m, on.Tick); err != nil {
		return nil, err
	}
	e := m.result()
	if e.Images > 0 {
		// Registered operations may multiply; the counts say where they do.
		spiking := n.Options.Activation != search.ActivationReLU && n.Options.Stem == search.StemSpike && n.Genotype.Published()
		if e.Activity, err = count.activity(spiking); err != nil {
			return nil, err
		}
	}
	if part == task.Test {
		sets.warnOfCorrupt(data.Test, set)
	}
	e.Classes = set.Classes()
	e.Parameters, err = n.Parameters()
	return e, err
}

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
