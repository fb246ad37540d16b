package train

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// repeated is a kind of step that a loop repeats, such as that of the weights: a
// batch comes to the device, work computes with it there, and one optimiser and
// one meter take what it found.
//
// What changes from step to step on the host is kept out of work, so that work can
// be recorded once as a CUDA graph and replayed: the count of steps and images, the
// learning rate, and the batch, which is written over the recorded one.
type repeated struct {
	device   torch.Device
	loader   *task.Loader
	meter    *meter
	step     *Step
	recorder *recorder // nil: nothing is recorded

	done    int // steps done one operator at a time
	scope   *torch.Scope
	tensors []torch.Tensor // the batch that graph reads
	graph   replayer
}

// newRepeated repeats a step on what a loader serves.
func newRepeated(l *task.Loader, m machine, step *Step, r *recorder) *repeated {
	return &repeated{device: m.device, loader: l, meter: newMeter(m.device), step: step, recorder: r}
}

// work calls the same operators each time, and reads nothing back.
func (g *repeated) work(s *torch.Scope, x task.Tensors) {
	loss, output := g.step.Lower(s, x)
	g.meter.add(s, g.step.model, loss, output, x)
}

// replayer is recorded work; a [torch.Graph] is one.
type replayer interface {
	Replay() error
	Close()
}

// recorder is what the steps of a loop share to record their work.
type recorder struct {
	log    *slog.Logger
	stream func() (leave func() error, err error) // enters the stream that is recorded; nil: none is needed
	record func(work func() error) (replayer, error)
}

// newRecorder records CUDA graphs. The first one's memory serves the others too,
// since steps follow each other and leave nothing in it for each other.
func newRecorder(d torch.Device, log *slog.Logger) *recorder {
	var first *torch.Graph
	return &recorder{
		log:    log,
		stream: func() (func() error, error) { return torch.OwnStream(d) },
		record: func(work func() error) (replayer, error) {
			graph, err := torch.Record(d, first, work)
			if err != nil {
				return nil, err
			}
			if first == nil {
				first = graph
			}
			return graph, nil
		},
	}
}

// warn says why steps are done one operator at a time.
func (r *recorder) warn(reason error) {
	r.log.Warn("steps are not recorded as a CUDA graph and run slower", "reason", reason)
}

// recordAfter is how many steps are done before one is recorded: libraries set
// themselves up in the first ones.
const recordAfter = 3

// do takes one step on a batch.
func (g *repeated) do(s *torch.Scope, b *data.Batch) error {
	g.step.Optimizer.Begin(s)
	g.meter.count(b.N)
	if g.recorder == nil || b.N != g.loader.Size() {
		return g.eager(s, b)
	}
	if g.graph == nil {
		if g.done < recordAfter {
			return g.eager(s, b)
		}
		if err := g.record(b); err != nil {
			// Nothing was done: what is wrong with the step itself shows here.
			g.recorder.warn(err)
			return errors.Join(g.forget(), g.eager(s, b))
		}
	}
	g.loader.Overwrite(s, b, g.tensors)
	if err := s.Err(); err != nil {
		return err
	}
	return g.graph.Replay()
}

// eager does the work one operator at a time.
func (g *repeated) eager(s *torch.Scope, b *data.Batch) error {
	g.done++
	g.work(s, g.loader.Tensors(s, g.loader.Upload(s, g.device, b), b.N))
	return s.Err()
}

// record makes the graph of the work on batches like b, and does nothing else.
func (g *repeated) record(b *data.Batch) error {
	g.scope = torch.NewInference()
	g.tensors = g.loader.Upload(g.scope, g.device, b)
	if err := g.scope.Err(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	n := b.N
	var err error
	g.graph, err = g.recorder.record(func() error {
		s := torch.NewScope()
		g.work(s, g.loader.Tensors(s, g.tensors, n))
		return s.Close()
	})
	return err
}

// forget gives up recording, and what there is of it.
func (g *repeated) forget() error {
	if g.graph != nil {
		g.graph.Close()
	}
	var err error
	if g.scope != nil {
		err = g.scope.Close()
	}
	g.recorder, g.graph, g.scope, g.tensors = nil, nil, nil, nil
	return err
}

// close frees the graph, the meter, and what the loader keeps on the device.
func (g *repeated) close() error { return errors.Join(g.forget(), g.meter.close(), g.loader.Close()) }
