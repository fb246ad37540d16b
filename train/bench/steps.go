package bench

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// learning is a task whose step lowers losses: that of a network, or those of a supernet,
// of the weights and then of the architecture.
type learning struct {
	model task.Model
	steps []*train.Step
	on    []task.Tensors // a batch for each step
	scope *torch.Scope   // of the batches
}

// newTraining trains a network, which it owns, on a batch that draw makes.
func newTraining(n task.Network, c *config.Config, draw func(*torch.Scope) task.Tensors) (*learning, error) {
	t := &learning{model: n, scope: torch.NewInference()}
	step, err := train.NewNetworkStep(n, &c.Train.Learning)
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	t.steps = []*train.Step{step}
	return t.onto(draw(t.scope))
}

// newSearching searches a supernet, which it owns, after its warm-up.
func newSearching(n task.Supernet, c *config.Config, draw func(*torch.Scope) (one, other task.Tensors)) (*learning, error) {
	t := &learning{model: n, scope: torch.NewInference()}
	steps, err := train.NewSupernetStep(n, &c.Search)
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	t.steps = []*train.Step{steps.Weights, steps.Architecture}
	one, other := draw(t.scope)
	return t.onto(one, other)
}

func (t *learning) onto(batches ...task.Tensors) (*learning, error) {
	t.on = batches
	if err := t.scope.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: batch: %w", err), t.close())
	}
	return t, nil
}

func (t *learning) step() error {
	for i, step := range t.steps {
		if err := inScope(torch.NewScope(), func(s *torch.Scope) { step.Run(s, t.on[i]) }); err != nil {
			return err
		}
	}
	return nil
}

func (t *learning) parts() ([]part, error) {
	var list []part
	for i, step := range t.steps {
		list = append(list, part{
			scope: torch.NewScope, begin: step.Optimizer.Begin,
			work: func(s *torch.Scope) { step.Lower(s, t.on[i]) },
		})
	}
	return list, nil
}

func (t *learning) close() error {
	var failed []error
	for _, step := range t.steps {
		failed = append(failed, step.Close())
	}
	return errors.Join(append(failed, t.scope.Close(), t.model.Close())...)
}

// inference is the task [Infer].
type inference struct {
	program *graph.Program
	run     func(*torch.Scope, torch.Tensor) torch.Tensor
	images  torch.Tensor
	scope   *torch.Scope // of the images
}

func newInference(c Case, d torch.Device, cfg *config.Config) (workload, error) {
	net, err := c.network(d, cfg)
	if err != nil {
		return nil, err
	}
	t := &inference{}
	t.program, err = settled(net.Network, c.Size)
	if err = errors.Join(err, net.Close()); err != nil {
		return nil, err
	}
	t.run = t.program.Runner(search.Precision(c.Precision).Compute())
	t.scope = torch.NewInference()
	t.images = drawBatch(t.scope, d, c.Batch, c.Size).Inputs[0]
	if err := t.scope.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: batch: %w", err), t.close())
	}
	return t, nil
}

// settled settles the running statistics of a network and folds it. The program
// takes images in -1..1, as the scripts do.
func settled(net *search.Network, size int) (*graph.Program, error) {
	for range settling {
		err := inScope(torch.NewInference(), func(s *torch.Scope) {
			x := drawBatch(s, net.Variables().Device(), settlingBatch, size)
			net.Forward(search.Pass{Scope: s, Mode: torch.Train}, x.Inputs[0])
		})
		if err != nil {
			return nil, err
		}
	}
	return net.Program(search.Input{Height: size, Width: size, Mean: []float64{0, 0, 0}, Deviation: []float64{1, 1, 1}})
}

func (t *inference) step() error {
	return inScope(torch.NewInference(), func(s *torch.Scope) { s.Item(s.Sum(t.run(s, t.images))) })
}

func (t *inference) parts() ([]part, error) {
	scope := torch.NewInference()
	result := scope.Sum(t.run(scope, t.images))
	return []part{{
		scope:      torch.NewInference,
		work:       func(s *torch.Scope) { s.CopyTo(result, s.Sum(t.run(s, t.images))) },
		end:        func(s *torch.Scope) { s.Item(result) },
		afterwards: func() { _ = scope.Close() }, // its one error was returned
	}}, scope.Err()
}

// firingRate is the share of neurons that fire in a time step.
func (t *inference) firingRate() (float64, error) {
	a, err := t.program.Measure(t.images)
	if err != nil {
		return 0, err
	}
	return a.FiringRate, nil
}

func (t *inference) close() error { return errors.Join(t.scope.Close(), t.program.Close()) }
