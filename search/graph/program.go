package graph

import (
	"strings"
	"sync"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Spec is what a program has beside its nodes.
type Spec struct {
	// Steps is T of a window.
	Steps int
	// Neuron are the constants of all neurons.
	Neuron spike.LIF
	// Inputs are the names of what the program reads: images, or the two views.
	Inputs []string
	// Planes is the depth of the feature volume at level 0, 0 without one.
	Planes int
	// CellNodes lets neurons add the currents of their edges themselves, in float32,
	// where convolutions compute in bfloat16 on a CPU.
	CellNodes bool
}

// Program is the inference form of a network: batch normalisation is folded into the
// weights, nothing records gradients, and what is left is a list of nodes. It copies its
// weights, so training the network further does not change it. Calls must not overlap.
type Program struct {
	Spec

	list
	scope *torch.Scope
	// constants in order of use, named as attributes of the script. Those of other forms
	// of the program follow and have no names.
	constants []torch.Variable
	layers    []Layer
	// temperature is that of the surrogate, which does not matter here.
	temperature torch.Tensor

	// The event-driven form, made when it is first asked for.
	compiled sync.Once
	events   *events
	census   *census // nil: spikes are not counted
	short    map[shortKey]*half

	compact *list // the form for devices, nil: the list itself
	indices nearestIndices
}

// Layer is a layer of neurons: what shapes its membrane.
type Layer struct {
	Name     string
	Channels int
	// Level is that of its grid, [FullLevel] the padded input.
	Level int
	// Images of the layer are this many for each sequence: two views, or planes.
	Images int
}

// FullLevel is the resolution of the padded input itself.
const FullLevel = -1

// New makes a program without nodes.
func New(spec Spec) *Program {
	return &Program{Spec: spec, scope: torch.NewInference(), short: map[shortKey]*half{}}
}

// Add appends an operation and returns its value.
func (p *Program) Add(o Op) Value { return p.add(Node{Op: o}) }

// Fire appends a layer of neurons that x drives.
func (p *Program) Fire(name string, x Value) Value { return p.FireLayer(x, Layer{Name: name}) }

// FireLayer is [Program.Fire] for a layer whose membrane the program's script makes; its
// channels are those of x.
func (p *Program) FireLayer(x Value, l Layer) Value {
	l.Channels = p.Shapes(Shape{})(x).Channels
	p.layers = append(p.layers, l)
	return p.add(Node{Attribute(l.Name), Fire{x, len(p.layers) - 1}})
}

// Constant registers a tensor under a name and returns its index. It belongs to the
// program from then on if it lies in [Program.Scope].
func (p *Program) Constant(name string, t torch.Tensor) int {
	p.constants = append(p.constants, torch.Variable{Name: Attribute(name), Value: t})
	return len(p.constants) - 1
}

// Attribute is how a script calls a constant.
func Attribute(name string) string { return strings.ReplaceAll(name, ".", "_") }

// Scope owns the constants; its error is that of building the program.
func (p *Program) Scope() *torch.Scope { return p.scope }

// Nodes are the nodes in the order in which they run.
func (p *Program) Nodes() []Node { return p.nodes }

// Tensor is constant i.
func (p *Program) Tensor(i int) torch.Tensor { return p.constants[i].Value }

// Constants are the named constants in order of use.
func (p *Program) Constants() []torch.Variable {
	n := 0
	for n < len(p.constants) && p.constants[n].Name != "" {
		n++
	}
	return p.constants[:n]
}

// Form is what runs: the nodes, or those of the form for devices, see [Program.Compact].
func (p *Program) Form() []Node {
	if p.compact != nil {
		return p.compact.nodes
	}
	return p.nodes
}

// InputChannels is how many channels the program's images or views have: those that its
// first convolution reads, 0 without one.
func (p *Program) InputChannels() int64 {
	for _, n := range p.nodes {
		if conv, ok := n.Op.(Conv); ok {
			return p.scope.Size(p.Tensor(conv.Weight), 1)
		}
	}
	return 0
}

// Layers are the layers of neurons in the order in which they fire.
func (p *Program) Layers() []Layer { return p.layers }

// Temporal tells whether the program's input has time: images [N, T, C, H, W].
func (p *Program) Temporal() bool {
	if len(p.nodes) == 0 {
		return false
	}
	_, ok := p.nodes[0].Op.(StepsFirst)
	return ok
}

// Close frees the weights.
func (p *Program) Close() error { return p.scope.Close() }

// onCPU tells whether all constants lie on the CPU.
func (p *Program) onCPU() bool {
	for _, c := range p.constants {
		if p.scope.Device(c.Value) != torch.CPU() {
			return false
		}
	}
	return true
}
