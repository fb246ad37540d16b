package task

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

func TestPrecisionOfDevices(t *testing.T) {
	for major, want := range map[int]search.Precision{
		0: search.Float32, 3: search.Float32, 6: search.Float32, 7: search.Float16,
		8: search.BFloat16, 9: search.BFloat16, 10: search.BFloat16, 12: search.BFloat16,
	} {
		assert.Equal(t, want, precisionOfCapability(major), "%d", major)
	}
	want := search.Float32
	if torch.FastBFloat16() {
		want = search.BFloat16
	}
	assert.Equal(t, want, Precision("auto", torch.CPU()))
	assert.Equal(t, search.BFloat16, Precision("bfloat16", torch.CPU()))
}

// Evaluation follows the training's type where the processor multiplies tiles of it,
// unless it is told.
func TestInferencePrecision(t *testing.T) {
	tiles := search.Float32
	if torch.MatrixTiles() {
		tiles = search.BFloat16
	}
	assert.Equal(t, tiles, InferencePrecision("auto", search.BFloat16, torch.CPU()))
	assert.Equal(t, search.Float32, InferencePrecision("auto", search.Float32, torch.CPU()))
	assert.Equal(t, search.Float32, InferencePrecision("float32", search.BFloat16, torch.CPU()))
	assert.Equal(t, search.BFloat16, InferencePrecision("bfloat16", search.Float32, torch.CPU()))
	assert.Equal(t, tiles, InferencePrecision("float16", search.BFloat16, torch.CPU()))
	assert.Equal(t, search.Float32, InferencePrecision("float16", search.Float16, torch.CPU()))
	c := &config.Config{Run: config.Run{Precision: "float32"}, Eval: config.Eval{Precision: "auto"}}
	assert.Equal(t, search.Float32, EvalPrecision(c, torch.CPU()))
	c.Run.Precision = "bfloat16"
	assert.Equal(t, tiles, EvalPrecision(c, torch.CPU()))
}
