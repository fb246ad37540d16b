package stereo

import (
	"fmt"
	"strings"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Program is the inference form of a stereo network: normalisation is folded
// into the weights, nothing records gradients, and what is left is a list of
// instructions. The same list is run here and written out as TorchScript
// ([Program.Script]), so that both compute the same numbers operator by operator.
//
// It runs windows ([Program.Run] with T steps from rest) and streams (one step at
// a time from a [State]); the result does not depend on how a sequence is cut.
// A program takes inputs of any size. Calls must not overlap.
type Program struct {
	Options  Options
	Genotype genotype.Genotype

	list     []instruction
	last     []int // index of the instruction that reads a value last
	scope    *torch.Scope
	tensors  []torch.Variable // constants, named as attributes of the script
	half     *halves
	mapping  int
	neurons  []layer
	constant torch.Tensor // the surrogate's temperature, which does not matter here

	// The form for devices, nil on a CPU, and those in element types of 16 bits that were
	// asked for.
	compact   *compact
	short     map[int8]*compact
	estimator *estimator // of devices
	// indices are those of pictures of the size `indexed`, see [machine.nearest].
	indices map[[2]Grid]torch.Tensor
	indexed [2]int
}

// layer is a layer of neurons: what shapes its membrane.
type layer struct {
	name     string
	channels int
	level    int // fullLevel: the padded input
	// images of the layer are this many for each sequence: two views, or planes.
	images int
}

// fullLevel is the resolution of the input itself.
const fullLevel = -1

// value is the number of the instruction that made a tensor.
type value int

// operation makes one tensor from earlier ones.
type operation interface {
	reads() []value
	// run computes the result.
	run(m *machine) torch.Tensor
}

// instruction is an operation that a script has as well.
type instruction interface {
	operation
	// text is the same as a TorchScript expression.
	text(p *Program) string
}

// State are the membranes of a program between two steps of a stream. The zero
// value is a network at rest. Streams that run side by side need a State each.
type State struct{ layers []spike.State }

// Reset puts all neurons to rest and frees their membranes.
func (m *State) Reset() {
	for i := range m.layers {
		m.layers[i].Reset()
	}
}

// Membranes are the potentials v = u (1 - y) of all layers in the order of
// [Program.Layers], none at rest. They belong to the state. On a device, layers of one
// cell that fire at once have one, side by side in the place of the first.
func (m *State) Membranes() []torch.Tensor {
	var list []torch.Tensor
	for i := range m.layers {
		if v := m.layers[i].Membrane(); torch.Defined(v) {
			list = append(list, v)
		}
	}
	return list
}

// machine runs a program once.
type machine struct {
	*Program
	scope       *torch.Scope
	left, right torch.Tensor
	steps       int
	full        [2]int64 // padded height and width
	size        [2]int   // height and width of the input
	flat, deep  [Levels]Grid
	state       *State // nil: from rest
	values      []torch.Tensor
	half        *halves // weights of the convolutions in 16 bits; nil: all is float32
}

func (m *machine) at(v value) torch.Tensor { return m.values[v] }

// Program folds the network into its inference form. It copies the weights:
// training the network further does not change it.
func (n *Network) Program() (*Program, error) {
	p := newProgram(n.Options, n.Genotype)
	return p.build(func(layer string, planes int) (weight, bias torch.Tensor) {
		return fold(p.scope, n.variables, layer, planes)
	}, p.scope.Clone(n.head.mapping))
}

// LoadProgram makes a program from the constants of an exported one: tensors
// gives them by the names that [Program.Script] uses.
func LoadProgram(o Options, g genotype.Genotype, tensors func(s *torch.Scope, name string) torch.Tensor) (*Program, error) {
	o = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("stereo: %w", err)
	}
	p := newProgram(o, g)
	return p.build(func(layer string, _ int) (weight, bias torch.Tensor) {
		return tensors(p.scope, attribute(layer+".weight")), tensors(p.scope, attribute(layer+".bias"))
	}, tensors(p.scope, "mapping"))
}

func newProgram(o Options, g genotype.Genotype) *Program {
	return &Program{Options: o, Genotype: g, scope: torch.NewInference()}
}

// attribute is how the script calls a constant.
func attribute(name string) string { return strings.ReplaceAll(name, ".", "_") }

// add appends an instruction and returns its value.
func (p *Program) add(i instruction) value {
	p.list = append(p.list, i)
	p.last = append(p.last, len(p.list)-1)
	for _, v := range i.reads() {
		p.last[v] = len(p.list) - 1
	}
	return value(len(p.list) - 1)
}

// tensor registers a constant and returns its index.
func (p *Program) tensor(name string, t torch.Tensor) int {
	p.tensors = append(p.tensors, torch.Variable{Name: attribute(name), Value: t})
	return len(p.tensors) - 1
}

// Layers are the names of the layers of neurons in the order in which they fire.
func (p *Program) Layers() []string {
	names := make([]string, len(p.neurons))
	for i, n := range p.neurons {
		names[i] = n.name
	}
	return names
}

// Close frees the folded weights.
func (p *Program) Close() error { return p.scope.Close() }

// Run computes the cost, float32 [T*N, bins, H, W], from the stacks of both views
// [T*N, Channels, H, W] with T = steps and time slowest; larger is better. With a
// state the stacks are the next piece of a stream and the membranes are left
// there, without one the neurons start at rest. Convolutions behind the first are
// float32, or with [search.BFloat16] and [search.Float16] of 16 bits, in which spikes
// are exact and weights have 8 and 11 bits; membranes and the cost are float32 always.
// A tensor goes as soon as nobody reads it.
func (p *Program) Run(s *torch.Scope, left, right torch.Tensor, steps int, state *State, precision search.Precision) torch.Tensor {
	inner := s.WithoutGradient()
	defer inner.Close()
	if err := p.Options.checkInputs(inner, left, right, max(steps, 1), search.Pass{}); err != nil {
		inner.Fail(err)
		return torch.Tensor{}
	}
	h, w := int(inner.Size(left, 2)), int(inner.Size(left, 3))
	m := &machine{
		Program: p, left: left, right: right, steps: max(steps, 1), state: state,
		size: [2]int{h, w}, full: [2]int64{int64(Padded(h)), int64(Padded(w))},
		flat: Grids(0, h, w), deep: Grids(p.Options.Planes(), h, w),
	}
	if state != nil && len(state.layers) != len(p.neurons) {
		state.Reset()
		state.layers = make([]spike.State, len(p.neurons))
	}
	if form := p.form(precision); form != nil {
		return inner.Return(runAll(m, inner, form.list, form.last))
	}
	if precision.Short() {
		m.half = p.halves(precision.Type())
	}
	return inner.Return(runAll(m, inner, p.list, p.last))
}

// runAll runs a list whose values are read last by the operations of the given numbers,
// and returns the last one's result.
func runAll[O operation](m *machine, s *torch.Scope, list []O, last []int) torch.Tensor {
	m.values = make([]torch.Tensor, len(list))
	for i, operation := range list {
		step := s.Child()
		m.scope = step
		m.values[i] = step.Return(operation.run(m))
		if step.Close() != nil {
			s.Blame(fmt.Sprintf("stereo program, instruction %d (%T)", i, operation), nil)
			return torch.Tensor{}
		}
		for _, v := range operation.reads() {
			if last[v] == i {
				s.Free(m.values[v])
			}
		}
	}
	return m.values[len(m.values)-1]
}

// halves are a program's weights in 16 bits.
type halves struct {
	dtype     int8
	constants map[int]torch.Tensor
}

// halves are made when they are first asked for.
func (p *Program) halves(dtype int8) *halves {
	if p.half == nil || p.half.dtype != dtype {
		p.half = &halves{dtype, map[int]torch.Tensor{}}
		for _, instruction := range p.list {
			if c, ok := instruction.(convolve); ok && !c.whole {
				for _, i := range []int{c.weight, c.bias} {
					p.half.constants[i] = p.scope.Cast(p.tensors[i].Value, dtype)
				}
			}
		}
	}
	return p.half
}

// Disparity is [Program.Estimate] of [Program.Run]: [T*N, H, W] in pixels.
func (p *Program) Disparity(s *torch.Scope, left, right torch.Tensor, steps int, state *State, precision search.Precision) torch.Tensor {
	c := s.WithoutGradient()
	defer c.Close()
	cost := p.Run(c, left, right, steps, state, precision)
	if c.Err() != nil {
		return torch.Tensor{}
	}
	return c.Return(p.Estimate(c, cost))
}

// Estimate is [Estimate] of a cost of the program.
func (p *Program) Estimate(s *torch.Scope, cost torch.Tensor) torch.Tensor {
	if p.estimator != nil {
		return p.estimator.estimate(s, cost)
	}
	return Estimate(s, cost)
}
