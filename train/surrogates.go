package train

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// surrogates searches and watches the surrogate gradients of a training's network.
//
// A search comes before an epoch, once e_D of them are over since the last one
// (Algorithm 1). It runs on training batches in orders and augmentations of their
// own: those of epochs behind the last of the training.
type surrogates struct {
	net        task.Network
	loader     *task.Loader
	scale      float64 // of the losses; see dgs.Options
	job        *Job
	c          *config.Config
	loop       *loop
	auto       bool         // layers are chosen anew at each search
	candidates []*dgs.Layer // that may be searched, in the network's order
	watched    []*dgs.Layer
}

// surrogateState is where a search of surrogates stands.
type surrogateState struct {
	// Epoch is the number of epochs done before the search.
	Epoch int `json:"epoch"`
	// Done says that the temperatures were set.
	Done bool `json:"done"`
	// Search is the search itself.
	Search dgs.State `json:"search"`
}

// newSurrogates finds the layers that the configuration names.
func newSurrogates(l *loop, n task.Network) (*surrogates, error) {
	u := &surrogates{net: n, loader: l.loader, scale: LossScale(n.Precision()), job: l.job, c: l.job.Config, loop: l}
	c := &u.c.DGS
	pick := func(key string, patterns []string) ([]*dgs.Layer, error) {
		if len(patterns) == 0 {
			return nil, nil
		}
		list, err := u.net.SpikingLayers(patterns...)
		if err != nil {
			return nil, fmt.Errorf("%w: dgs.%s: %w", config.ErrInvalid, key, err)
		}
		return list, nil
	}
	patterns := c.Layers
	if len(patterns) == 1 && patterns[0] == config.AutoLayers {
		u.auto, patterns = true, []string{"*"}
	}
	var err error
	if u.candidates, err = pick("layers", patterns); err != nil {
		return nil, err
	}
	if _, err = pick("watch", c.Watch); err != nil {
		return nil, err
	}
	if u.watched, err = pick("watch", append(append([]string{}, patterns...), c.Watch...)); err != nil {
		return nil, err
	}
	if len(u.candidates) > 0 { // told now, not at the first search
		if _, err := dgs.New(u.candidates, u.options()); err != nil {
			return nil, fmt.Errorf("%w: %w", config.ErrInvalid, err)
		}
	}
	return u, nil
}

// options of a search at the present step.
func (u *surrogates) options() dgs.Options {
	c := &u.c.DGS
	return dgs.Options{
		Candidates: c.Candidates, Delta: c.Delta, Iterations: c.Iterations, Epsilon: c.Epsilon, AlphaRate: c.AlphaLR,
		Min: c.Min, Max: c.Max, Estimate: dgs.Estimate(c.Estimate),
		LearningRate: u.loop.rate(), Clip: u.c.Train.Clip, LossScale: u.scale, Keep: u.net.Buffers(),
	}
}

// due tells whether a search comes after so many epochs.
func (u *surrogates) due(epochs int) bool {
	first := cmp.Or(u.c.DGS.First, u.c.DGS.Every)
	return len(u.candidates) > 0 && epochs >= first && (epochs-first)%u.c.DGS.Every == 0
}

// before does the search that is due before the present epoch, or what is left of it.
func (u *surrogates) before(ctx context.Context, saved *time.Time) error {
	l := u.loop
	if !u.due(l.at.Epoch) {
		return nil
	}
	if s := l.at.Surrogates; s != nil && s.Epoch == l.at.Epoch && s.Done {
		return nil
	}
	began := time.Now()
	err := u.search(ctx, saved)
	if contextEnded(err) {
		return l.interrupt()
	}
	if err != nil {
		l.job.Progress.Stop()
		return fmt.Errorf("train: search of surrogates before epoch %d: %w", l.at.Epoch+1, err)
	}
	if err := u.finish(time.Since(began)); err != nil {
		return err
	}
	*saved = time.Now()
	return l.save()
}

// search does the iterations. What is left in the position after each of them can
// be resumed.
func (u *surrogates) search(ctx context.Context, saved *time.Time) error {
	l := u.loop
	if l.at.Surrogates == nil || l.at.Surrogates.Epoch != l.at.Epoch {
		layers, err := u.choose(ctx)
		if err != nil {
			return err
		}
		p, err := dgs.New(layers, u.options())
		if err != nil {
			return err
		}
		l.at.Surrogates = &surrogateState{Epoch: l.at.Epoch, Search: p.State()}
	}
	p, err := u.phase()
	if err != nil {
		return err
	}
	l.job.Progress.Start(fmt.Sprintf("dgs %d/%d", l.at.Epoch+1, l.c.Epochs), "iterations", p.Iterations(), p.Iteration())
	for !p.Done() {
		number, first := u.place(p.Iteration())
		err := u.losses(ctx, number, first, func(loss dgs.Loss) (more bool, err error) {
			if err := p.Step(loss); err != nil {
				return false, err
			}
			l.at.Surrogates.Search = p.State()
			l.job.Progress.Add(1, "")
			return !p.Done(), l.saveInTime(saved)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// phase is the search that the position tells of.
func (u *surrogates) phase() (*dgs.Phase, error) {
	state := u.loop.at.Surrogates.Search
	var layers []*dgs.Layer
	for _, name := range state.Layers {
		for _, l := range u.candidates {
			if l.Name == name {
				layers = append(layers, l)
			}
		}
	}
	return dgs.Resume(layers, u.options(), state)
}

// place is the epoch and the batch of the loader that an iteration learns from.
func (u *surrogates) place(iteration int) (epoch, batch int) {
	batches := u.loader.Batches()
	return u.loop.c.Epochs*(1+iteration/batches) + u.loop.at.Epoch, iteration % batches
}

// losses calls work with the losses of an epoch's batches, from one on, as long as it
// wants more.
func (u *surrogates) losses(ctx context.Context, epoch, first int, work func(dgs.Loss) (more bool, err error)) error {
	return task.Each(ctx, u.loader, u.loop.device, epoch, first, func(_ *torch.Scope, _ *data.Batch, x task.Tensors) (bool, error) {
		return work(func(s *torch.Scope) torch.Tensor {
			total, _, _ := u.net.Loss(search.Pass{Scope: s, Mode: torch.Train}, x)
			return total
		})
	})
}

// choose names the layers of a new search.
func (u *surrogates) choose(ctx context.Context) ([]*dgs.Layer, error) {
	if !u.auto {
		return u.candidates, nil
	}
	epoch, batch := u.place(0)
	readings, err := u.read(ctx, u.candidates, epoch, batch)
	if err != nil {
		return nil, err
	}
	layers := dgs.Worst(u.candidates, readings, u.c.DGS.AutoLayers)
	for i, l := range u.candidates {
		for _, chosen := range layers {
			if chosen == l {
				u.job.Log.Info("layer chosen for the search of its surrogate", "layer", l.Name,
					"useless", round(readings[i].Useless), "temperature", round(readings[i].Temperature))
			}
		}
	}
	return layers, nil
}

// read measures layers on one batch.
func (u *surrogates) read(ctx context.Context, layers []*dgs.Layer, epoch, batch int) ([]dgs.Reading, error) {
	var readings []dgs.Reading
	err := u.losses(ctx, epoch, batch, func(loss dgs.Loss) (more bool, err error) {
		readings, err = dgs.Measure(layers, loss, u.net.Buffers(), u.scale)
		return false, err
	})
	return readings, err
}

// finish sets the temperatures and records what the search found and cost. A search
// that was resumed counts the time of its last part.
func (u *surrogates) finish(took time.Duration) error {
	l := u.loop
	p, err := u.phase()
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	results, err := p.Finish()
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.at.Surrogates.Done = true
	passes := p.Passes()
	var moves []string
	for _, r := range results {
		moves = append(moves, fmt.Sprintf("%s %.4g -> %.4g", r.Layer, r.Before, r.After))
		err := l.log("dgs", run.F("epoch", l.at.Epoch), run.F("step", l.at.Step), run.F("layer", r.Layer),
			run.F("before", r.Before), run.F("after", r.After), run.F("chosen", r.Chosen),
			run.F("temperatures", r.Temperatures), run.F("shares", r.Shares), run.F("iterations", p.Iterations()),
			run.F("network_passes", passes.Network), run.F("layer_passes", passes.Layer), run.Wall("search_seconds", round(took.Seconds())))
		if err != nil {
			return err
		}
		scalars := []task.Scalar{{Tag: "dgs/" + r.Layer + "/temperature", Value: r.After}}
		for i, share := range r.Shares {
			scalars = append(scalars, task.Scalar{Tag: fmt.Sprintf("dgs/%s/share_%d", r.Layer, i), Value: share})
		}
		if err := l.scalars(scalars...); err != nil {
			return err
		}
	}
	cost := fmt.Sprintf("%d passes of the network, %d of single layers", passes.Network, passes.Layer)
	l.job.Progress.End(strings.Join(moves, ", ") + "; " + cost)
	u.job.Log.Info("surrogates searched", "after_epoch", l.at.Epoch, "temperatures", strings.Join(moves, ", "),
		"network_passes", passes.Network, "layer_passes", passes.Layer, "seconds", round(took.Seconds()))
	return nil
}

// measure reads the watched layers at the end of an epoch, on its first batch.
func (u *surrogates) measure(ctx context.Context) ([]dgs.Reading, error) {
	if len(u.watched) == 0 {
		return nil, nil
	}
	readings, err := u.read(ctx, u.watched, u.loop.at.Epoch, 0)
	if err != nil && !contextEnded(err) {
		return nil, fmt.Errorf("train: watched layers: %w", err)
	}
	return readings, err
}

// note records readings.
func (u *surrogates) note(readings []dgs.Reading) error {
	l := u.loop
	for _, r := range readings {
		err := l.log("layer_epoch", run.F("epoch", l.at.Epoch+1), run.F("step", l.at.Step), run.F("layer", r.Layer),
			run.F("temperature", r.Temperature), run.F("gradient_norm", r.Gradient), run.F("support", r.Support),
			run.F("useless", r.Useless), run.F("firing_rate", r.Rate))
		if err != nil {
			return err
		}
		at := "layers/" + r.Layer + "/"
		if err := l.scalars([]task.Scalar{
			{Tag: at + "temperature", Value: r.Temperature}, {Tag: at + "gradient_norm", Value: r.Gradient},
			{Tag: at + "support", Value: r.Support}, {Tag: at + "useless", Value: r.Useless}, {Tag: at + "firing_rate", Value: r.Rate},
		}...); err != nil {
			return err
		}
	}
	return nil
}

// round keeps the thousandths of a number for people.
func round(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }
