package bench

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

func TestLIF(t *testing.T) {
	before := torch.LiveTensors()
	for precision, bytes := range map[string]float64{"float32": 4, "bfloat16": 2} {
		rows, err := LIF(context.Background(), LIFCase{Setting: Setting{Precision: precision, Batch: 2, Width: 8, Steps: 3, Size: 8, Threads: 1, Device: "cpu"}, Repeats: 1, Seconds: 0.01})
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
