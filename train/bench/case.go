package bench

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// Task is what a step does.
type Task string

const (
	// Train is a training step of the published genotype with three nodes.
	Train Task = "train"
	// Search is a step of the weights and one of alpha, each on a batch.
	Search Task = "search"
	// Infer is a pass of train's network with its normalisation folded.
	Infer Task = "infer"
)

// The implementations of a task.
const (
	// Ours is this program, OursGraphs the same with its steps recorded as CUDA graphs
	// (of a stream and an inference too, which the program itself does not record).
	Ours       = "spikedhs"
	OursGraphs = "spikedhs-graphs"
	// PythonFolded is PyTorch with time in the batch, channels last, and the
	// convolutions in the case's precision.
	PythonFolded = "python-folded"
	// PythonPerStep is PyTorch one time step after the other, in float32.
	PythonPerStep = "python-per-step"
	// SpikingJelly is the same network of SpikingJelly's layers and neurons, whose
	// surrogate is its ATan; SpikingJellyDHS the SpikeDHS network that it brings along,
	// as it is. Both are PyTorch with autocast to the case's precision.
	SpikingJelly    = "spikingjelly"
	SpikingJellyDHS = "spikingjelly-dhs"
)

// ours reports whether an implementation is this program, with all that it has;
// isOurs whether it is this program at all.
func ours(impl string) bool   { return impl == Ours || impl == OursGraphs }
func isOurs(impl string) bool { return ours(impl) || strings.HasPrefix(impl, withoutPrefix) }

// Has reports whether there is an implementation of a case.
func (c Case) Has(impl string) bool { return ours(impl) || kinds[c.Task].has(c, impl) }

// Case is one point of a table.
type Case struct {
	Task Task `json:"task"`
	Setting
	auto bool // the precision was left to the program
}

// Setting is what is measured how, beside the task.
type Setting struct {
	Impl string `json:"impl"`
	// Precision is that of the convolutions, float32, bfloat16 or, on CUDA devices,
	// float16.
	Precision string `json:"precision"`
	// Batch is the number of images of a step.
	Batch int `json:"batch"`
	// Width is F, Steps T, Nodes the number of nodes of a cell.
	Width int `json:"width"`
	Steps int `json:"steps"`
	Nodes int `json:"nodes,omitempty"`
	// Size is the side of the images in pixels.
	Size int `json:"size,omitempty"`
	// Threads is how many threads an operator uses.
	Threads int `json:"threads"`
	// Device is "cpu" or "cuda:N".
	Device string `json:"device"`
	Shape
}

// ErrCase is wrapped by errors about a case that cannot be measured.
var ErrCase = errors.New("wrong case")

// Validate checks the ranges.
func (c Case) Validate() error {
	k, ok := kinds[c.Task]
	if !ok {
		return fmt.Errorf("%w: task %q: want one of %v", ErrCase, c.Task, Tasks())
	}
	if err := k.check(c); err != nil {
		return err
	}
	return c.validatePrecision()
}

func (c Case) validatePrecision() error {
	if !slices.Contains(search.Precisions(), search.Precision(c.Precision)) {
		return fmt.Errorf("%w: precision %q: want one of %q", ErrCase, c.Precision, search.Precisions())
	}
	if c.Impl == OursGraphs && !strings.HasPrefix(c.Device, "cuda") {
		return fmt.Errorf("%w: graphs need a CUDA device, not %q", ErrCase, c.Device)
	}
	if c.Precision == string(search.Float16) && !strings.HasPrefix(c.Device, "cuda") {
		return fmt.Errorf("%w: precision float16 needs a CUDA device, not %q", ErrCase, c.Device)
	}
	return nil
}

// publishedNodes is the number of nodes of the genotype that is trained.
const publishedNodes = 3

// String names the case for people.
func (c Case) String() string {
	return fmt.Sprintf("%s %s %s batch %d %s", c.Task, c.Impl, c.Precision, c.Batch, kinds[c.Task].shape(c))
}

// as is the case for one implementation. The per-step style is float32; our
// inference is in the form that evaluation takes where the precision is left to the
// program.
func (c Case) as(impl string) Case {
	c.Impl = impl
	switch {
	case impl == PythonPerStep:
		c.Precision = string(search.Float32)
	case isOurs(impl) && c.Task == Infer && c.auto:
		device, _ := torch.ParseDevice(c.Device) // was parsed when the case was made
		c.Precision = string(task.InferencePrecision("auto", search.Precision(c.Precision), device))
	}
	return c
}

// Grid is a table: the cases of all combinations.
type Grid struct {
	Task    Task
	Batches []int
	Widths  []int
	Steps   []int
	Sizes   []int
	Threads []int
	// Nodes is for a search; 0 is the paper's 4.
	Nodes int
	// Precision may be auto; Device is as for [torch.ParseDevice].
	Precision, Device string
}

// Cases lists the combinations, the last axis (threads) fastest, after filling
// in what is empty: the paper's network at batch 8 on all cores.
func (g Grid) Cases() ([]Case, error) {
	g = g.withDefaults()
	device, err := torch.ParseDevice(g.Device)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrCase, strings.TrimPrefix(err.Error(), "torch: "))
	}
	precision := string(task.Precision(g.Precision, device))
	cases := []Case{{Task: g.Task, auto: g.Precision == "auto", Setting: Setting{
		Impl: Ours, Precision: precision, Nodes: g.Nodes, Device: torch.DeviceName(device),
	}}}
	for _, axis := range []struct {
		values []int
		of     func(*Case) *int
	}{
		{g.Batches, func(c *Case) *int { return &c.Batch }}, {g.Widths, func(c *Case) *int { return &c.Width }},
		{g.Steps, func(c *Case) *int { return &c.Steps }}, {g.Sizes, func(c *Case) *int { return &c.Size }},
		{g.Threads, func(c *Case) *int { return &c.Threads }},
	} {
		var more []Case
		for _, c := range cases {
			for _, n := range axis.values {
				*axis.of(&c) = n
				more = append(more, c)
			}
		}
		cases = more
	}
	for _, c := range cases {
		if err := c.Validate(); err != nil {
			return nil, err
		}
	}
	return cases, nil
}

func (g Grid) withDefaults() Grid {
	or := func(list []int, values ...int) []int {
		if len(list) == 0 {
			return values
		}
		return list
	}
	g.Batches, g.Steps, g.Sizes = or(g.Batches, 8), or(g.Steps, 6), or(g.Sizes, 32)
	g.Threads = or(g.Threads, torch.Threads())
	g.Device, g.Precision = cmp.Or(g.Device, "auto"), cmp.Or(g.Precision, "auto")
	if g.Task == Search {
		g.Widths, g.Nodes = or(g.Widths, 8, 16), cmp.Or(g.Nodes, 4)
		return g
	}
	g.Widths, g.Nodes = or(g.Widths, 48), cmp.Or(g.Nodes, publishedNodes)
	return g
}
