package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// Program is the inference form of a stereo network: a [graph.Program] of two views.
//
// It runs windows ([Program.Run] with T steps from rest) and streams (one step at
// a time from a [graph.State]); the result does not depend on how a sequence is cut.
// A program takes inputs of any size. Calls must not overlap.
type Program struct {
	*graph.Program
	Options  Options
	Genotype genotype.Stereo

	estimator *estimator // of devices
}

// State are the membranes of a program between two steps of a stream.
type State = graph.State

// Program folds the network into its inference form. It copies the weights:
// training the network further does not change it.
func (n *Network) Program() (*Program, error) {
	p := newProgram(n.Options, n.Genotype)
	return p.build(func(layer string, planes int) (weight, bias torch.Tensor) {
		return fold(p.Scope(), n.variables, layer, planes)
	}, p.Scope().Clone(n.head.mapping))
}

// LoadProgram makes a program from the constants of an exported one: tensors
// gives them by the names that [Program.Script] uses.
func LoadProgram(o Options, g genotype.Stereo, tensors func(s *torch.Scope, name string) torch.Tensor) (*Program, error) {
	o = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("stereo: %w", err)
	}
	p := newProgram(o, g)
	return p.build(func(layer string, _ int) (weight, bias torch.Tensor) {
		return tensors(p.Scope(), graph.Attribute(layer+".weight")), tensors(p.Scope(), graph.Attribute(layer+".bias"))
	}, tensors(p.Scope(), "mapping"))
}

func newProgram(o Options, g genotype.Stereo) *Program {
	return &Program{Options: o, Genotype: g, Program: graph.New(graph.Spec{
		Steps: o.Steps, Neuron: o.Neuron, Inputs: []string{"left", "right"}, Planes: o.Planes(),
	})}
}

// Script is [export.StreamScript] of the program.
func (p *Program) Script(height, width int, extra map[string]string) *torch.Script {
	return export.StreamScript(p.Program, height, width, extra)
}

// Run computes the cost, float32 [T*N, bins, H, W], from the stacks of both views
// [T*N, Channels, H, W] with T = steps and time slowest; larger is better. With a
// state the stacks are the next piece of a stream and the membranes are left
// there, without one the neurons start at rest. Convolutions behind the first are
// float32, or of 16 bits, see [graph.Settings].
func (p *Program) Run(s *torch.Scope, left, right torch.Tensor, steps int, state *State, precision search.Precision) torch.Tensor {
	if err := p.Options.checkInputs(s, left, right, max(steps, 1), search.Pass{}); err != nil {
		s.Fail(err)
		return torch.Tensor{}
	}
	return p.RunWith(s, graph.Settings{Steps: max(steps, 1), State: state, Type: precision.Compute()}, left, right)
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

// forDevice makes the forms of the program for devices.
func (p *Program) forDevice(d torch.Device) error {
	p.estimator = newEstimator(p.Scope(), d, p.Options.Bins())
	return p.Compact()
}

// Layers are the names of the layers of neurons in the order in which they fire.
func (p *Program) Layers() []string {
	var names []string
	for _, l := range p.Program.Layers() {
		names = append(names, l.Name)
	}
	return names
}
