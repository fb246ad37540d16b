package train

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// runs are the two kinds of runs.
type runner func(context.Context, Job) error

var runs = map[string]runner{
	"search": func(ctx context.Context, j Job) error { _, err := Search(ctx, j); return err },
	"train":  func(ctx context.Context, j Job) error { _, err := Train(ctx, j); return err },
}

// eachRun tests search and training, each on a bench of its own.
func eachRun(t *testing.T, newBench func(*testing.T) *bench, test func(t *testing.T, b *bench, kind string, start runner)) {
	for kind, start := range runs {
		t.Run(kind, func(t *testing.T) { test(t, newBench(t), kind, start) })
	}
}

// One seed gives one run, bit for bit; another seed another.
func TestOneSeedOneRun(t *testing.T) {
	eachRun(t, newBench, func(t *testing.T, b *bench, _ string, start runner) {
		for _, name := range []string{"one", "two"} {
			require.NoError(t, start(context.Background(), b.job(name, busy)))
		}
		b.remains(t, "one").require(t, b.remains(t, "two"))
		require.NoError(t, start(context.Background(), b.job("other", busy, func(c *config.Config) { c.Run.Seed = 8 })))
		one, other := b.remains(t, "one"), b.remains(t, "other")
		assert.NotEqual(t, one.metrics, other.metrics)
		assert.False(t, one.checkpoint == other.checkpoint)
	})
}

// The number of workers that load images is no part of the result.
func TestWorkersDoNotMatter(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("one", busy, func(c *config.Config) { c.Data.Workers, c.Data.Prefetch = 1, 1 }))
	mustTrain(t, b.job("four", busy, func(c *config.Config) { c.Data.Workers, c.Data.Prefetch = 4, 9 }))
	b.remains(t, "one").require(t, b.remains(t, "four"))
}

// Interruptions anywhere, also several, do not show in what is left at the end.
func TestResumeIsExact(t *testing.T) {
	type stop struct{ label, count string }
	for name, c := range map[string]struct {
		kind  string
		stops []stop
	}{
		"search in the warm-up":     {"search", []stop{{"search 1/3", "3/5"}}},
		"search after the warm-up":  {"search", []stop{{"search 2/3", "2/5"}}},
		"search several times":      {"search", []stop{{"search 1/3", "5/5"}, {"search 2/3", "1/5"}, {"search 2/3", "4/5"}, {"search 3/3", "5/5"}}},
		"search between two epochs": {"search", []stop{{"search 2/3", "0/5"}}},
		"train in an epoch":         {"train", []stop{{"train 2/3", "7/10"}}},
		"train several times":       {"train", []stop{{"train 1/3", "1/10"}, {"train 1/3", "9/10"}, {"train 3/3", "2/10"}}},
		"train at an end of epoch":  {"train", []stop{{"train 2/3", "10/10"}}},
		"train before a batch":      {"train", []stop{{"train 1/3", "0/10"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			require.NoError(t, runs[c.kind](context.Background(), b.job("whole", busy)))
			j := b.job("cut", busy)
			for _, at := range c.stops {
				ctx, cancel := context.WithCancel(context.Background())
				j.Progress = onProgress(at.label, at.count, cancel)
				err := runs[c.kind](ctx, j)
				require.ErrorIs(t, err, ErrInterrupted, "%v", at)
				assert.ErrorContains(t, err, b.path("cut"))
				folder, err := run.Open(b.path("cut"))
				require.NoError(t, err)
				assert.True(t, folder.Info().Ended.IsZero())
				j = b.resume("cut")
			}
			require.NoError(t, runs[c.kind](context.Background(), j))
			b.remains(t, "whole").require(t, b.remains(t, "cut"))
			folder, err := run.Open(b.path("cut"))
			require.NoError(t, err)
			assert.Len(t, folder.Info().Resumed, len(c.stops))
			assert.False(t, folder.Info().Ended.IsZero())
		})
	}
}

// trap is a context that ends when, once armed, a loader begins with it.
type trap struct {
	context.Context
	armed  *atomic.Bool
	cancel func()
}

func (c trap) Done() <-chan struct{} {
	if c.armed.Load() {
		c.cancel()
	}
	return c.Context.Done()
}

// The last batch of an epoch arms the trap; the next loader is the evaluation's.
func TestResumeAfterAnInterruptedEvaluation(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("whole", busy))
	j := b.job("cut", busy)
	for _, epoch := range []string{"train 1/3", "train 2/3", "train 3/3"} {
		ctx, cancel := context.WithCancel(context.Background())
		c := trap{ctx, new(atomic.Bool), cancel}
		j.Progress = onProgress(epoch, "10/10", func() { c.armed.Store(true) })
		_, err := Train(c, j)
		require.ErrorIs(t, err, ErrInterrupted)
		saved, err := readCheckpoint(j.checkpointPath())
		require.NoError(t, err)
		assert.Equal(t, 10, saved.at.Batch, "trained and not evaluated")
		if epoch == "train 1/3" {
			assert.Nil(t, saved.at.Accuracy)
		} else {
			require.NotNil(t, saved.at.Accuracy)
			assert.Equal(t, number(t, lastEpoch(t, b, "cut"), "test_top1"), *saved.at.Accuracy, "the last that was measured")
		}
		require.NoError(t, saved.close())
		j = b.resume("cut")
	}
	mustTrain(t, j)
	b.remains(t, "whole").require(t, b.remains(t, "cut"))
}

func lastEpoch(t *testing.T, b *bench, name string) run.Record {
	t.Helper()
	list := ofKind(b.records(t, name), "train_epoch")
	require.NotEmpty(t, list)
	return list[len(list)-1]
}

// A run may be given a number of steps at a time.
func TestStepsAtATime(t *testing.T) {
	eachRun(t, newBench, func(t *testing.T, b *bench, _ string, start runner) {
		require.NoError(t, start(context.Background(), b.job("whole", busy)))
		b.inParts(t, start, b.job("cut", busy), 1, 5, 7, 0)
		b.remains(t, "whole").require(t, b.remains(t, "cut"))
	})
}

// What a killed process recorded after its last checkpoint is done again.
func TestResumeAfterACrash(t *testing.T) {
	b := newBench(t)
	j := b.busyInTwo(t)
	early := b.file(t, "cut", run.CheckpointDir, CheckpointFile)
	next := b.resume("cut")
	next.MaxSteps = 25 // records of steps 20 and of epoch 2
	mustTrain(t, next)
	require.NoError(t, writeFile(j.checkpointPath(), early))
	mustTrain(t, b.resume("cut"))
	b.remains(t, "whole").require(t, b.remains(t, "cut"))
}

// Checkpoints in time between the ends of epochs do not change the run.
func TestCheckpointsInTime(t *testing.T) {
	eachRun(t, newBench, func(t *testing.T, b *bench, _ string, start runner) {
		require.NoError(t, start(context.Background(), b.job("whole")))
		require.NoError(t, start(context.Background(), b.job("often", func(c *config.Config) {
			c.Train.CheckpointMinutes, c.Search.CheckpointMinutes = 1e-9, 1e-9
		})))
		b.remains(t, "whole").require(t, b.remains(t, "often"))
	})
}

// A deadline ends a run like a cancelled context does.
func TestDeadlineInterrupts(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("whole", busy))
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	expired := deadline{Context: ctx, done: make(chan struct{})}
	j := b.job("cut", busy)
	j.Progress = onProgress("train 2/3", "3/10", func() { close(expired.done) })
	_, err := Train(&expired, j)
	require.ErrorIs(t, err, ErrInterrupted)
	mustTrain(t, b.resume("cut"))
	b.remains(t, "whole").require(t, b.remains(t, "cut"))
}

// deadline is a context whose time is up when done is closed.
type deadline struct {
	context.Context
	done chan struct{}
}

func (d *deadline) Done() <-chan struct{} { return d.done }

func (d *deadline) Err() error {
	select {
	case <-d.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// A run that is over is over: resuming does no more steps.
func TestResumeOfAFinishedRun(t *testing.T) {
	eachRun(t, newBench, func(t *testing.T, b *bench, _ string, start runner) {
		require.NoError(t, start(context.Background(), b.job("run")))
		before := b.remains(t, "run")
		require.NoError(t, start(context.Background(), b.resume("run")))
		before.require(t, b.remains(t, "run"))
	})
}

// A context that has ended already makes no folder.
func TestCancelledBeforeTheStart(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for kind, start := range runs {
		require.ErrorIs(t, start(ctx, b.job(kind)), context.Canceled)
		assert.NoDirExists(t, b.path(kind))
	}
}
