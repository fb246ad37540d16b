package bench

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
)

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
