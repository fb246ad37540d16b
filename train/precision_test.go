package train

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// float16 is refused on the CPU before a folder is made.
func TestFloat16NeedsCUDA(t *testing.T) {
	b := newBench(t)
	for key, change := range map[string]func(*config.Config){
		"run.precision":  func(c *config.Config) { c.Run.Precision = "float16" },
		"eval.precision": func(c *config.Config) { c.Eval.Precision = "float16" },
	} {
		for kind, start := range runs {
			err := start(context.Background(), b.job(kind, change))
			require.ErrorIs(t, err, config.ErrInvalid)
			require.ErrorContains(t, err, key+": float16 needs a CUDA device; on the CPU use bfloat16 or float32")
			assert.NoDirExists(t, b.path(kind))
		}
	}
}

// A run of float16 can be used on the CPU, in float32.
func TestUseOfAFloat16Run(t *testing.T) {
	c := newBench(t).config
	c.Run.Precision = "float16"
	m, err := setUpToUse(c)
	require.NoError(t, err)
	assert.Equal(t, search.Float32, m.precision)
	assert.Equal(t, search.Float32, task.EvalPrecision(c, m.device))
	c.Run.Precision = "bfloat16"
	m, err = setUpToUse(c)
	require.NoError(t, err)
	assert.Equal(t, search.BFloat16, m.precision)
}

// Skipped steps are told once an epoch, those of the epoch alone.
func TestSkippedStepsAreTold(t *testing.T) {
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	v.Root().Parameter("w", torch.Constant(1), 2)
	o, err := newOptimizer(v, &config.Learning{LR: 0.1}, LossScale(search.Float16))
	require.NoError(t, err)
	defer o.Close()
	var log bytes.Buffer
	l := &loop{job: &Job{Log: slog.New(slog.NewTextHandler(&log, nil))}, groups: []group{{"weights", v, nil}, {"optimizer", nil, o}}}
	s := torch.NewScope()
	defer s.Close()
	for _, g := range []float64{1, math.Inf(1), math.NaN()} {
		o.LossScale().Unscale(s, []torch.Tensor{s.Full(torch.CPU(), g, 2)})
	}
	require.NoError(t, s.Err())
	require.NoError(t, l.warnOfSkipped())
	assert.Contains(t, log.String(), "epoch=1 steps=2")
	log.Reset()
	require.NoError(t, l.warnOfSkipped())
	assert.Empty(t, log.String())
}

// The losses of float16 alone are scaled.
func TestLossScales(t *testing.T) {
	assert.Zero(t, LossScale(search.Float32))
	assert.Zero(t, LossScale(search.BFloat16))
	scale, err := torch.NewLossScale(torch.CPU(), LossScale(search.Float16))
	require.NoError(t, err)
	require.NoError(t, scale.Close())
}
