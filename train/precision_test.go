package train

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
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
	assert.Equal(t, search.Float32, evalPrecision(c, m.device))
	c.Run.Precision = "bfloat16"
	m, err = setUpToUse(c)
	require.NoError(t, err)
	assert.Equal(t, search.BFloat16, m.precision)
}

// The losses of float16 alone are scaled.
func TestLossScales(t *testing.T) {
	assert.Zero(t, LossScale(search.Float32))
	assert.Zero(t, LossScale(search.BFloat16))
	scale, err := torch.NewLossScale(torch.CPU(), LossScale(search.Float16))
	require.NoError(t, err)
	require.NoError(t, scale.Close())
}
