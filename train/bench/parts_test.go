package bench

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
)

func TestLIF(t *testing.T) {
	before := torch.LiveTensors()
	for precision, bytes := range map[string]float64{"float32": 4, "bfloat16": 2} {
		rows, err := LIF(context.Background(), LIFCase{Precision: precision, Batch: 2, Width: 8, Steps: 3, Size: 8, Threads: 1, Device: "cpu", Repeats: 1, Seconds: 0.01})
		require.NoError(t, err)
		require.Len(t, rows, 2)
		for i, tensors := range []float64{2, 5} {
			row := rows[i]
			assert.Positive(t, row.GBPerS)
			assert.InEpsilon(t, row.GBPerS/row.CopyGBPerS, row.Share, 1e-9)
			assert.InEpsilon(t, row.GBPerS*1e9/bytes/tensors, row.Rate, 1e-9, "neurons a second")
		}
	}
	assert.Equal(t, before, torch.LiveTensors())
}

func TestLoader(t *testing.T) {
	row, err := Loader(context.Background(), 32, 8, 2)
	require.NoError(t, err)
	assert.Len(t, row.Samples, 2)
	assert.Greater(t, row.Rate, 1000.0)
	row.Against(Row{Rate: row.Rate / 4})
	assert.InEpsilon(t, 4.0, row.TimesTraining, 1e-9)
}

func TestRoofline(t *testing.T) {
	before := torch.LiveTensors()
	c := tiny(Train)
	row, err := Roofline(context.Background(), c, Row{Rate: 10}, Plan{Repeats: 1, Seconds: 0.01})
	require.NoError(t, err)
	assert.InEpsilon(t, 10*row.GFLOPPerImage, row.GFLOPPerS, 1e-9)
	assert.InEpsilon(t, row.GFLOPPerS/row.ConvGFLOPPerS, row.Share, 1e-9)
	assert.Positive(t, row.CopyGBPerS)
	require.NotEmpty(t, row.Convs)
	slowest, fastest := row.Convs[0].GFLOPPerS, row.Convs[0].GFLOPPerS
	for _, conv := range row.Convs {
		slowest, fastest = min(slowest, conv.GFLOPPerS), max(fastest, conv.GFLOPPerS)
	}
	assert.GreaterOrEqual(t, row.ConvGFLOPPerS, slowest)
	assert.LessOrEqual(t, row.ConvGFLOPPerS, fastest)
	assert.Equal(t, before, torch.LiveTensors())
}

// A training step is forward and twice as much backward, but for the images.
func TestStepOperations(t *testing.T) {
	layers := []search.Layer{
		{In: 3, Out: 4, Kernel: 3, Stride: 1, Height: 2, Width: 2, Once: true},
		{In: 4, Out: 5, Kernel: 1, Stride: 1, Height: 1, Width: 1},
	}
	c := tiny(Train)
	c.Steps = 3
	stem, rest := 2*3*4*9*4.0, 3*2*4*5.0
	assert.Equal(t, 2*stem+3*rest, stepOperations(c, layers))
	c.Task = Search
	assert.Equal(t, 2*stem+3*rest+stem+2*rest, stepOperations(c, layers))
}
