package stereo

import (
	"errors"
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
	Genotype genotype.Genotype

	estimator *estimator // of devices
}

// State are the membranes of a program between two steps of a stream.
type State = graph.State

// Program folds the network into its inference form. It copies the weights:
// training the network further does not change it.
func (n *Network) Program() (*Program, error) { return n.fold(n.variables.Device(), nil) }

// fold makes the inference form on a device, of constants that are known, or of the
// network's variables.
func (n *Network) fold(d torch.Device, constants func(p *graph.Program, layer string) (weight, bias torch.Tensor)) (*Program, error) {
	o := n.Options
	p := &Program{Options: o, Genotype: n.Genotype, Program: graph.New(graph.Spec{
		Steps: o.Steps, Neuron: o.Neuron, Inputs: []string{"left", "right"}, Planes: o.Planes(),
	})}
	l := &search.Lowering{Program: p.Program, Views: 2}
	if constants != nil {
		l.Constants = func(layer string) (weight, bias torch.Tensor) { return constants(p.Program, layer) }
	}
	_, err := l.Fold(n.graph, graph.Input(0), graph.Input(1))
	if err == nil && torch.IsCUDA(d) {
		err = p.forDevice(d)
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("stereo: %w", err)
	}
	return p, nil
}

// LoadProgram makes a program from the constants of an exported one: tensors
// gives them by the names that [Program.Script] uses.
func LoadProgram(o Options, g genotype.Genotype, tensors func(s *torch.Scope, name string) torch.Tensor) (*Program, error) {
	n, err := unweighted(g, o)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	s := torch.NewInference()
	d := s.Device(tensors(s, "mapping"))
	if err := s.Close(); err != nil {
		return nil, fmt.Errorf("stereo: load program: %w", err)
	}
	return n.fold(d, func(p *graph.Program, layer string) (weight, bias torch.Tensor) {
		if layer == "mapping" {
			return tensors(p.Scope(), layer), torch.Tensor{}
		}
		return tensors(p.Scope(), graph.Attribute(layer+".weight")), tensors(p.Scope(), graph.Attribute(layer+".bias"))
	})
}

// unweighted is a network whose weights do not matter: the random numbers of the process
// stay where they are.
func unweighted(g genotype.Genotype, o Options) (*Network, error) {
	s := torch.NewInference()
	defer s.Close()
	state := s.GeneratorState(torch.CPU())
	n, err := NewNetwork(torch.CPU(), g, o)
	if err != nil {
		return nil, err
	}
	if err := torch.SetGeneratorState(torch.CPU(), state); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
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
