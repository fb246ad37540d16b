package search

import (
	"fmt"
	"strings"
	"sync"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Input says how the images of a data set become the network's input. Both are
// part of the inference form, so that users feed plain images.
type Input struct {
	// Height and Width are the data set's own.
	Height, Width int
	// Pad is the number of zeros put around the image on each side.
	Pad int
	// Mean and Deviation normalise each channel after padding.
	Mean, Deviation []float64
}

// Program is the inference form of a network: batch normalisation is folded
// into the weights, and what is left is a list of instructions. The same list
// is run here and written out as TorchScript, so the exported model computes
// the same numbers operator by operator.
type Program struct {
	steps  int
	neuron spike.LIF
	list   []instruction
	last   []int // index of the instruction that reads a value last
	scope  *torch.Scope
	// tensors in order of use, named as attributes of the script.
	tensors []torch.Variable

	// What stands between the images and level 0: zeros on each side, and the product
	// of the stem's strides. Known while a network is lowered.
	pad, strides int64

	// names of the layers of neurons, for those who count spikes.
	names map[value]string

	// The event-driven form, made when it is first asked for.
	compiled sync.Once
	events   *events
	census   *census // nil: spikes are not counted
	half     *half
}

// value is the number of the instruction that made a tensor; -1 is the input.
type value int

const input value = -1

// instruction makes one tensor from earlier ones.
type instruction interface {
	reads() []value
	// run computes the result.
	run(m *machine) torch.Tensor
	// text is the same as a TorchScript expression.
	text(p *Program) string
}

// Input and all that follows is built by the compile functions in lower.go.
func newProgram(o *Options) *Program {
	return &Program{steps: o.Steps, neuron: o.Neuron, scope: torch.NewInference(), names: map[value]string{}}
}

// add appends an instruction and returns its value.
func (p *Program) add(i instruction) value {
	p.list = append(p.list, i)
	p.last = append(p.last, len(p.list)-1)
	for _, v := range i.reads() {
		if v >= 0 {
			p.last[v] = len(p.list) - 1
		}
	}
	return value(len(p.list) - 1)
}

// named gives a layer of neurons a name and returns it.
func (p *Program) named(name string, v value) value {
	p.names[v] = strings.ReplaceAll(name, ".", "_")
	return v
}

// tensor registers a constant and returns its index.
func (p *Program) tensor(name string, t torch.Tensor) int {
	name = strings.ReplaceAll(name, ".", "_")
	p.tensors = append(p.tensors, torch.Variable{Name: name, Value: t})
	return len(p.tensors) - 1
}

// Close frees the folded weights.
func (p *Program) Close() error { return p.scope.Close() }

// machine runs a program once.
type machine struct {
	*Program
	scope  *torch.Scope
	input  torch.Tensor
	values []torch.Tensor
	half   *half // nil: all is float32
}

func (m *machine) at(v value) torch.Tensor {
	if v == input {
		return m.input
	}
	return m.values[v]
}

// Run computes logits [N, classes] from images [N, C, H, W], float32 in 0..1 at
// the data set's own size; with [Program.Temporal] from stacks [N, T, C, H, W].
// Every tensor goes as soon as nobody reads it.
func (p *Program) Run(s *torch.Scope, images torch.Tensor) torch.Tensor {
	return p.run(s, images, nil, p.census)
}

// run computes in the form h, unless that is nil, and counts spikes in c, unless
// that is nil.
func (p *Program) run(s *torch.Scope, images torch.Tensor, h *half, c *census) torch.Tensor {
	inner := s.WithoutGradient()
	defer inner.Close()
	m := &machine{Program: p, scope: inner, input: images, values: make([]torch.Tensor, len(p.list)), half: h}
	for i, instruction := range p.list {
		step := inner.Child()
		m.scope = step
		if h == nil {
			m.values[i] = step.Return(instruction.run(m))
		} else {
			m.values[i] = step.Return(h.makes(m, value(i)))
		}
		if c != nil {
			c.dense(step, value(i), m.values[i])
		}
		if step.Close() != nil {
			inner.Blame(fmt.Sprintf("program, instruction %d", i), nil)
			return torch.Tensor{}
		}
		if h != nil && h.waits(value(i)) {
			continue // the parts are still to be read
		}
		m.leave(inner, i)
		if h != nil && i > 0 && h.waits(value(i-1)) {
			m.leave(inner, i-1)
		}
	}
	logits := m.values[len(m.values)-1]
	if c != nil {
		c.ran(inner, logits, true)
	}
	return inner.Return(logits)
}

// leave frees what instruction i was the last to read.
func (m *machine) leave(s *torch.Scope, i int) {
	for _, v := range m.list[i].reads() {
		if v >= 0 && m.last[v] == i {
			s.Free(m.values[v])
		}
	}
}

// Source is the program as methods of a TorchScript module.
func (p *Program) Source() string {
	var b strings.Builder
	// The step function is heaviside, not a comparison: libtorch's fuser does not
	// know it, and so does not inline the membranes of all steps into each other,
	// which takes time exponential in T.
	fmt.Fprintf(&b, `def fire(self, current: Tensor) -> Tensor:
    parts = torch.chunk(current, %d, 0)
    rest = torch.zeros_like(parts[0])
    v = rest
    spikes: List[Tensor] = []
    for part in parts:
        u = %v * v + part
        y = torch.heaviside(u - %v, rest)
        v = u * (1.0 - y)
        spikes.append(y)
    return torch.cat(spikes, 0)

def forward(self, images: Tensor) -> Tensor:
`, p.steps, float(p.neuron.Tau), float(p.neuron.Threshold))
	if p.Temporal() {
		fmt.Fprintf(&b, "    assert images.dim() == 5 and images.size(1) == %d, \"input must be [N, %[1]d, C, H, W]\"\n", p.steps)
	}
	for i, instruction := range p.list {
		fmt.Fprintf(&b, "    v%d = %s\n", i, instruction.text(p))
	}
	fmt.Fprintf(&b, "    return v%d\n", len(p.list)-1)
	return b.String()
}

// Script is the program ready to be saved, with extra files beside the code.
func (p *Program) Script(extra map[string]string) *torch.Script {
	return &torch.Script{Class: "Network", Source: p.Source(), Tensors: p.tensors, Extra: extra}
}

// name is how the script calls a value.
func (v value) name() string {
	if v == input {
		return "images"
	}
	return fmt.Sprintf("v%d", int(v))
}

// attribute is how the script calls a constant.
func (p *Program) attribute(i int) string { return "self." + p.tensors[i].Name }

// float writes a number that TorchScript reads as a float.
func float(x float64) string {
	text := fmt.Sprintf("%.17g", x)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
