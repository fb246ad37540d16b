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

// part is a piece of a step that becomes one CUDA graph: work calls the same operators
// each time and reads nothing back. begin and end are done on the host each time.
type part struct {
	scope      func() *torch.Scope // of work: with gradients or without
	begin      func(*torch.Scope)  // counts the steps of an optimiser; nil: nothing
	work       func(*torch.Scope)
	end        func(*torch.Scope) // reads the result; nil: nothing
	afterwards func()             // frees what only the recording had; nil: nothing
}

// recordable is a workload whose steps can be recorded. Its parts are asked for after
// a few steps, which made what there is to make.
type recordable interface {
	workload
	parts() ([]part, error)
}

// recordAfter is how many steps come before one is recorded, as in a training.
const recordAfter = 3

// recorded does the steps of another workload as CUDA graphs.
type recorded struct {
	workload
	list   []part
	graphs []*torch.Graph
	leave  func() error
}

// record records a workload on the stream of the calling goroutine, which must do the
// steps and the end as well. It owns w, also where it fails.
func record(w workload, d torch.Device) (_ workload, err error) {
	r := &recorded{workload: w, leave: func() error { return nil }}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	steps, ok := w.(recordable)
	if !ok {
		return nil, fmt.Errorf("%w: this task has no form with graphs", ErrCase)
	}
	leave, err := torch.OwnStream(d)
	if err != nil {
		return nil, err
	}
	r.leave = leave
	for range recordAfter {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	if r.list, err = steps.parts(); err != nil {
		return nil, err
	}
	for _, p := range r.list {
		var first *torch.Graph // whose memory serves the others too
		if len(r.graphs) > 0 {
			first = r.graphs[0]
		}
		graph, err := torch.Record(d, first, func() error { return inScope(p.scope(), p.work) })
		if err != nil {
			return nil, err
		}
		r.graphs = append(r.graphs, graph)
	}
	return r, nil
}

func (r *recorded) step() error {
	for i, p := range r.list {
		if p.begin != nil {
			if err := inScope(torch.NewInference(), p.begin); err != nil {
				return err
			}
		}
		if err := r.graphs[i].Replay(); err != nil {
			return err
		}
		if p.end != nil {
			if err := inScope(torch.NewInference(), p.end); err != nil {
				return err
			}
		}
	}
	return nil
}

// firingRate is that of a workload that has one.
func (r *recorded) firingRate() (float64, error) {
	if f, ok := r.workload.(firing); ok {
		return f.firingRate()
	}
	return 0, nil
}

// close leaves the stream, which waits for the work on it, and frees everything.
func (r *recorded) close() error {
	err := r.leave()
	for _, g := range r.graphs {
		g.Close()
	}
	for _, p := range r.list {
		if p.afterwards != nil {
			p.afterwards()
		}
	}
	return errors.Join(err, r.workload.close())
}
