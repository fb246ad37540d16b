package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// tape stands in for CUDA graphs: recording does nothing, a replay does the work on
// the tensors that the recording was given.
type tape struct {
	work   func() error
	count  *int
	closed *int
}

func (r tape) Replay() error { *r.count++; return r.work() }
func (r tape) Close()        { *r.closed++ }

// A run whose steps are recorded leaves what another leaves, bit for bit, also when
// it is interrupted and when its images lie on the device.
func TestRecordedStepsAreTheSteps(t *testing.T) {
	for kind, start := range runs {
		for _, residence := range []string{"off", "on"} {
			t.Run(kind+", data on the device "+residence, func(t *testing.T) {
				b := newBench(t)
				require.NoError(t, start(context.Background(), b.job("plain", busy)))
				var replays, recorded, closed int
				record := func(work func() error) (replayer, error) {
					recorded++
					return tape{work, &replays, &closed}, nil
				}
				j := b.job("recorded", busy, func(c *config.Config) { c.Data.Resident = residence })
				j.record = record
				ctx, cancel := context.WithCancel(context.Background())
				j.Progress = onProgress(kind+" 2/3", map[string]string{"search": "4/5", "train": "4/10"}[kind], cancel)
				require.ErrorIs(t, start(ctx, j), ErrInterrupted)
				j = b.resume("recorded")
				j.record = record
				require.NoError(t, start(context.Background(), j))
				b.remains(t, "plain").require(t, b.remains(t, "recorded"))
				assert.Positive(t, replays)
				assert.Equal(t, recorded, closed)
			})
		}
	}
}

// What cannot be recorded is done as before, and said once.
func TestStepsThatCannotBeRecorded(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("plain", busy))
	var log bytes.Buffer
	j := b.job("refused", busy)
	j.Log = slog.New(slog.NewTextHandler(&log, nil))
	j.record = func(func() error) (replayer, error) { return nil, fmt.Errorf("%w: not today", torch.ErrNoGraph) }
	mustTrain(t, j)
	b.remains(t, "plain").require(t, b.remains(t, "refused"))
	assert.Equal(t, 1, strings.Count(log.String(), "not today"), log.String())
}

// Whatever a capture fails of, the run goes on without and is the same run; each
// step says so once and frees what it had brought for it.
func TestCapturesThatFail(t *testing.T) {
	eachRun(t, newBench, func(t *testing.T, b *bench, kind string, start runner) {
		require.NoError(t, start(context.Background(), b.job("plain", busy)))
		live := torch.LiveTensors()
		var log bytes.Buffer
		j := b.job("failing", busy)
		j.Log = slog.New(slog.NewTextHandler(&log, nil))
		j.record = func(func() error) (replayer, error) { return nil, errors.New("no memory") }
		require.NoError(t, start(context.Background(), j))
		b.remains(t, "plain").require(t, b.remains(t, "failing"))
		assert.Equal(t, map[string]int{"search": 2, "train": 1}[kind], strings.Count(log.String(), "no memory"), log.String())
		assert.Equal(t, live, torch.LiveTensors())
	})
}

// Without a stream of its own a run records nothing, and is the same run.
func TestNoStreamToRecordOn(t *testing.T) {
	eachRun(t, newBench, func(t *testing.T, b *bench, _ string, start runner) {
		require.NoError(t, start(context.Background(), b.job("plain", busy)))
		var log bytes.Buffer
		j := b.job("streamless", busy)
		j.Log = slog.New(slog.NewTextHandler(&log, nil))
		j.stream = func() (func() error, error) { return nil, errors.New("no stream left") }
		j.record = func(func() error) (replayer, error) {
			t.Error("recorded without a stream")
			return nil, errors.New("not asked for")
		}
		require.NoError(t, start(context.Background(), j))
		b.remains(t, "plain").require(t, b.remains(t, "streamless"))
		assert.Equal(t, 1, strings.Count(log.String(), "no stream left"), log.String())
	})
}

// The stream is left when the run ends, and the error of leaving it is the run's.
func TestStreamIsLeft(t *testing.T) {
	b := newBench(t)
	j := b.job("left", busy)
	left := 0
	j.stream = func() (func() error, error) {
		return func() error { left++; return errors.New("the device is gone") }, nil
	}
	var replays, closed int
	j.record = func(work func() error) (replayer, error) { return tape{work, &replays, &closed}, nil }
	_, err := Train(context.Background(), j)
	require.ErrorContains(t, err, "the device is gone")
	assert.Equal(t, 1, left)
	assert.Positive(t, replays)
	assert.Equal(t, 1, closed)
}

// Where the data lie changes nothing.
func TestWhereDataLie(t *testing.T) {
	for name, b := range map[string]*bench{"images": newBench(t), "stereo": newStereoBench(t)} {
		for kind, start := range runs {
			for _, residence := range []string{"off", "on"} {
				require.NoError(t, start(context.Background(), b.job(kind+residence, func(c *config.Config) {
					if c.Data.Resident = residence; !c.IsStereo() {
						busy(c)
					}
				})))
			}
			b.remains(t, kind+"off").require(t, b.remains(t, kind+"on"))
		}
		assert.NotEmpty(t, b.remains(t, "trainon").metrics, name)
	}
}
