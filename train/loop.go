package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// loop is what search and training do alike: epochs of batches, progress,
// checkpoints in time, and a clean end when the context is cancelled.
type loop struct {
	job     *Job
	folder  *run.Folder
	metrics *run.Metrics
	events  *run.Events
	device  torch.Device
	loader  *task.Loader
	step    func(s *torch.Scope, b *data.Batch) error // on each batch
	c       *config.Learning
	at      position

	noted   time.Time // when the loss was last recorded
	skipped int64     // steps so far whose gradients were not finite
	groups  []group
	steps   []*repeated                                                         // what step runs, the weights first; closed with the loop
	before  func(ctx context.Context, saved *time.Time) error                   // before an epoch, or its rest
	ended   func(ctx context.Context, e epochFacts) (summary string, err error) // after an epoch
	stopped func() bool                                                         // after an epoch: no more epochs
}

// epochFacts is what the machine says of an epoch.
type epochFacts struct {
	seconds float64
	memory  memory
}

// enterStream enters the stream that steps are recorded on, where they are. Without
// one nothing is recorded.
func (l *loop) enterStream() (leave func() error) {
	stay := func() error { return nil }
	if len(l.steps) == 0 || l.steps[0].recorder == nil || l.steps[0].recorder.stream == nil {
		return stay
	}
	leave, err := l.steps[0].recorder.stream()
	if err == nil {
		return leave
	}
	l.steps[0].recorder.warn(err)
	for _, g := range l.steps {
		g.recorder = nil
	}
	return stay
}

// rate is the learning rate of the weights at the present step.
func (l *loop) rate() float64 {
	batches := int64(l.loader.Batches())
	if len(l.c.Milestones) == 0 {
		return torch.Cosine(l.c.LR, l.c.LRMin, float64(l.at.Step)/float64(int64(l.c.Epochs)*batches))
	}
	rate := l.c.LR
	for _, epoch := range l.c.Milestones {
		if l.at.Step >= int64(epoch)*batches {
			rate *= l.c.Decay
		}
	}
	return rate
}

// score is what the task is compared by.
func (l *loop) score() task.Score { return l.job.task.Score() }

// run does the epochs that are left.
func (l *loop) run(ctx context.Context) (err error) {
	defer torch.Pin()()
	leave := l.enterStream()
	defer func() {
		if failed := leave(); err == nil && failed != nil {
			err = fmt.Errorf("train: %w", failed)
		}
	}()
	saved := time.Now()
	for l.at.Epoch < l.c.Epochs {
		if l.before != nil && !l.full() {
			if err := l.before(ctx, &saved); err != nil {
				return err
			}
		}
		began := time.Now()
		if err := l.epoch(ctx, &saved); err != nil {
			return err
		}
		if l.full() {
			l.job.Progress.Stop()
			return l.save()
		}
		l.loader.Warn()
		if err := l.warnOfSkipped(); err != nil {
			return err
		}
		seconds := time.Since(began).Seconds()
		used, err := memoryOf(l.device)
		if err != nil {
			return err
		}
		summary, err := l.ended(ctx, epochFacts{seconds, used})
		if contextEnded(err) {
			// The epoch is trained but not evaluated: the checkpoint says so.
			return l.interrupt()
		}
		if err != nil {
			return err
		}
		l.job.Progress.End(summary + used.String())
		l.at.Epoch, l.at.Batch = l.at.Epoch+1, 0
		l.at.Noted = reading{}
		for _, g := range l.steps {
			g.meter.reset()
		}
		if err := l.save(); err != nil {
			return err
		}
		saved = time.Now()
		if l.stopped != nil && l.stopped() {
			break
		}
	}
	return nil
}

// warnOfSkipped says how many steps of an epoch changed nothing.
func (l *loop) warnOfSkipped() error {
	var all int64
	for _, g := range l.groups {
		if g.optimizer == nil {
			continue
		}
		n, err := g.optimizer.LossScale().Skipped()
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		all += n
	}
	if all > l.skipped {
		l.job.Log.Warn("steps changed nothing, for their gradients were not finite in float16; if there are many, "+
			"take another run.precision", "epoch", l.at.Epoch+1, "steps", all-l.skipped)
	}
	l.skipped = all
	return nil
}

// epoch does the batches that are left of the present epoch.
func (l *loop) epoch(ctx context.Context, saved *time.Time) error {
	total := l.loader.Batches()
	l.job.Progress.Start(fmt.Sprintf("%s %d/%d", l.at.Phase, l.at.Epoch+1, l.c.Epochs), "batches", total, l.at.Batch)
	batches := l.loader.Epoch(ctx, l.at.Epoch, l.at.Batch)
	defer batches.Close()
	l.noted = time.Now()
	for {
		if l.full() {
			return nil
		}
		b, err := batches.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case contextEnded(err):
			return l.interrupt()
		case err != nil:
			return fmt.Errorf("train: %w", err)
		}
		end := torch.Annotate(l.at.Phase + " step")
		s := torch.NewScope()
		l.steps[0].step.Optimizer.SetLearningRate(l.rate())
		err = l.step(s, b)
		end()
		b.Release()
		if failed := s.Close(); err == nil {
			err = failed
		}
		if err != nil {
			return fmt.Errorf("train: epoch %d, batch %d: %w", l.at.Epoch+1, l.at.Batch+1, err)
		}
		l.at.Batch++
		l.at.Step++
		if err := l.look(); err != nil {
			return err
		}
		if err := l.saveInTime(saved); err != nil {
			return err
		}
	}
}

// saveInTime writes a checkpoint when the last one, of the given time, is old.
func (l *loop) saveInTime(saved *time.Time) error {
	every := time.Duration(l.c.CheckpointMinutes * float64(time.Minute))
	if every == 0 || time.Since(*saved) < every {
		return nil
	}
	if err := l.save(); err != nil {
		return err
	}
	*saved = time.Now()
	return nil
}

// contextEnded reports whether err is that of a context that was cancelled or
// whose time was up.
func contextEnded(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// full reports whether the run has done as many steps as it may.
func (l *loop) full() bool { return l.job.MaxSteps > 0 && l.at.Step >= l.job.MaxSteps }

// early tells that the run ended before its last epoch, as it was told to.
func (l *loop) early() bool { return l.full() && l.at.Epoch < l.c.Epochs }

// finish notes the end of a run that came to its last epoch.
func (l *loop) finish() error {
	if l.early() {
		return nil
	}
	if err := l.folder.MarkEnded(time.Now()); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// interrupt saves a checkpoint where the run stands.
func (l *loop) interrupt() error {
	l.job.Progress.Stop()
	if err := l.save(); err != nil {
		return err
	}
	l.job.Log.Info("interrupted", "epoch", l.at.Epoch+1, "batch", l.at.Batch, "checkpoint", l.checkpointPath())
	return fmt.Errorf("%s: %w", l.folder.Dir(), ErrInterrupted)
}

func (l *loop) checkpointPath() string { return l.folder.Path(run.CheckpointDir, CheckpointFile) }

// save writes the checkpoint of the present position.
func (l *loop) save() error {
	if err := l.metrics.Sync(); err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	l.at.Records = l.metrics.Records()
	l.at.Meters = nil
	for _, g := range l.steps {
		r, err := g.meter.read()
		if err != nil {
			return err
		}
		if err := r.checkFinite(l.at.Phase); err != nil {
			return err // of such a run the last checkpoint is worth more
		}
		l.at.Meters = append(l.at.Meters, r)
	}
	return writeCheckpoint(l.checkpointPath(), l.at, l.device, l.groups)
}

// start opens the folder, and restores the checkpoint of a resumed run.
func (l *loop) start(m machine) error {
	var c *checkpoint
	if l.job.Resume {
		var err error
		if c, err = readCheckpoint(l.job.checkpointPath()); err != nil {
			return err
		}
		defer c.close()
		if err := c.restore(l); err != nil {
			return err
		}
	}
	var err error
	if l.folder, err = l.job.openFolder(m); err != nil {
		return err
	}
	return l.open(c)
}

// open makes or continues the records of the run. A resumed run cuts off what
// came after its checkpoint.
func (l *loop) open(c *checkpoint) error {
	var err error
	path := l.folder.Path(run.MetricsFile)
	if c == nil {
		l.metrics, err = run.CreateMetrics(path)
	} else {
		l.at = c.at
		for i, r := range c.at.Meters {
			if i < len(l.steps) {
				l.steps[i].meter.restore(r)
			}
		}
		if err = l.folder.MarkResumed(time.Now()); err != nil {
			return fmt.Errorf("train: %w", err)
		}
		l.metrics, err = run.OpenMetricsAfter(path, c.at.Records)
	}
	if err != nil {
		return fmt.Errorf("train: metrics: %w", err)
	}
	if l.events, err = run.NewEvents(l.folder.Dir()); err != nil {
		return fmt.Errorf("train: tensorboard: %w", err)
	}
	if c != nil {
		if err := l.events.Restart(l.at.Step); err != nil {
			return fmt.Errorf("train: tensorboard: %w", err)
		}
	}
	return nil
}

// close ends the records.
func (l *loop) close() error {
	var all []error
	if l.metrics != nil {
		all = append(all, l.metrics.Close())
	}
	if l.events != nil {
		all = append(all, l.events.Close())
	}
	for _, g := range l.steps {
		all = append(all, g.close())
	}
	return errors.Join(all...)
}
