package bench

import (
	"errors"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
)

// training is the task [Train].
type training struct {
	net     *search.Network
	descent *train.NetworkStep
	batch   *batch
}

func newTraining(c Case, d torch.Device) (*training, error) {
	cfg, err := c.configuration()
	if err != nil {
		return nil, err
	}
	t := &training{}
	if t.net, err = c.network(d, cfg); err != nil {
		return nil, err
	}
	if t.descent, err = train.NewNetworkStep(t.net, &cfg.Train); err != nil {
		return nil, errors.Join(err, t.net.Close())
	}
	if t.batch, err = newBatch(d, c.Batch, c.Size); err != nil {
		return nil, errors.Join(err, t.descent.Close(), t.net.Close())
	}
	return t, nil
}

func (t *training) step() error {
	return inScope(torch.NewScope(), func(s *torch.Scope) { t.descent.Run(s, t.batch.images, t.batch.labels) })
}

func (t *training) parts() ([]part, error) {
	return []part{{
		scope: torch.NewScope, begin: t.descent.Optimizer.Begin,
		work: func(s *torch.Scope) { t.descent.Lower(s, t.batch.images, t.batch.labels) },
	}}, nil
}

func (t *training) close() error {
	return errors.Join(t.batch.close(), t.descent.Close(), t.net.Close())
}

// searching is the task [Search].
type searching struct {
	net     *search.Supernet
	descent *train.SupernetStep
	batch   *batch
}

func newSearching(c Case, d torch.Device) (*searching, error) {
	cfg, err := c.configuration()
	if err != nil {
		return nil, err
	}
	t := &searching{}
	if t.net, err = c.supernet(d, cfg); err != nil {
		return nil, err
	}
	if t.descent, err = train.NewSupernetStep(t.net, &cfg.Search); err != nil {
		return nil, errors.Join(err, t.net.Close())
	}
	if t.batch, err = newBatch(d, c.Batch, c.Size); err != nil {
		return nil, errors.Join(err, t.descent.Close(), t.net.Close())
	}
	return t, nil
}

// step is an iteration of a search after its warm-up.
func (t *searching) step() error {
	err := inScope(torch.NewScope(), func(s *torch.Scope) { t.descent.RunWeights(s, t.batch.images, t.batch.labels) })
	if err != nil {
		return err
	}
	return inScope(torch.NewScope(), func(s *torch.Scope) { t.descent.RunAlphas(s, t.batch.images, t.batch.labels) })
}

func (t *searching) parts() ([]part, error) {
	return []part{
		{
			scope: torch.NewScope, begin: t.descent.Weights.Begin,
			work: func(s *torch.Scope) { t.descent.LowerByWeights(s, t.batch.images, t.batch.labels) },
		},
		{
			scope: torch.NewScope, begin: t.descent.Alphas.Begin,
			work: func(s *torch.Scope) { t.descent.LowerByAlphas(s, t.batch.images, t.batch.labels) },
		},
	}, nil
}

func (t *searching) close() error {
	return errors.Join(t.batch.close(), t.descent.Close(), t.net.Close())
}

// inference is the task [Infer].
type inference struct {
	program *graph.Program
	run     func(*torch.Scope, torch.Tensor) torch.Tensor
	batch   *batch
}

func newInference(c Case, d torch.Device) (*inference, error) {
	cfg, err := c.configuration()
	if err != nil {
		return nil, err
	}
	net, err := c.network(d, cfg)
	if err != nil {
		return nil, err
	}
	t := &inference{}
	t.program, err = settled(net, c.Size)
	if err = errors.Join(err, net.Close()); err != nil {
		return nil, err
	}
	t.run = t.program.Runner(search.Precision(c.Precision).Compute())
	if t.batch, err = newBatch(d, c.Batch, c.Size); err != nil {
		return nil, errors.Join(err, t.program.Close())
	}
	return t, nil
}

// settled settles the running statistics of a network and folds it. The program
// takes images in -1..1, as the scripts do.
func settled(net *search.Network, size int) (*graph.Program, error) {
	for range settling {
		b, err := newBatch(net.Variables().Device(), settlingBatch, size)
		if err != nil {
			return nil, err
		}
		err = inScope(torch.NewInference(), func(s *torch.Scope) {
			net.Forward(search.Pass{Scope: s, Mode: torch.Train}, b.images)
		})
		if err = errors.Join(err, b.close()); err != nil {
			return nil, err
		}
	}
	return net.Program(search.Input{Height: size, Width: size, Mean: []float64{0, 0, 0}, Deviation: []float64{1, 1, 1}})
}

func (t *inference) step() error {
	return inScope(torch.NewInference(), func(s *torch.Scope) { s.Item(s.Sum(t.run(s, t.batch.images))) })
}

func (t *inference) parts() ([]part, error) {
	scope := torch.NewInference()
	result := scope.Sum(t.run(scope, t.batch.images))
	return []part{{
		scope:      torch.NewInference,
		work:       func(s *torch.Scope) { s.CopyTo(result, s.Sum(t.run(s, t.batch.images))) },
		end:        func(s *torch.Scope) { s.Item(result) },
		afterwards: func() { _ = scope.Close() }, // its one error was returned
	}}, scope.Err()
}

// firingRate is the share of neurons that fire in a time step.
func (t *inference) firingRate() (float64, error) {
	a, err := t.program.Measure(t.batch.images)
	if err != nil {
		return 0, err
	}
	return a.FiringRate, nil
}

func (t *inference) close() error { return errors.Join(t.batch.close(), t.program.Close()) }
