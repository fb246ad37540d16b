package reproduce

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/data/synth"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/live"
	"github.com/spikedhs/spikedhs/train"
	measured "github.com/spikedhs/spikedhs/train/task/stereo"
)

// TestStereoIsAnExperiment searches on made scenes of 36x24 pixels, trains all rows and
// sets what their evaluations say beside the paper's numbers.
func TestStereoIsAnExperiment(t *testing.T) {
	live.Same(t, torch.LiveTensors)
	made, err := synth.Preset("small")
	require.NoError(t, err)
	made.Rig = data.Rig{Width: 36, Height: 24, Focal: 20, CX: 17.5, CY: 11.5, Baseline: 0.1}
	made.Scenes, made.Frames, made.Seed = 4, 6, 3
	scenes := t.TempDir()
	require.NoError(t, synth.Generate(context.Background(), scenes, made))
	o := Options{Experiment: "stereo", Scale: "smoke", Out: t.TempDir(), Set: []string{
		"data.path=" + scenes, "run.device=cpu", "run.precision=float32", "stereo.steps=2", "stereo.max_disparity=6", "stereo.halves_block=2",
		"stereo.feature_layers=1", "stereo.matching_layers=2", "stereo.validation_frames=0",
	}}
	r := must(t, o)
	require.Equal(t, "stereo", r.Data)
	require.True(t, r.Search.Ended)
	require.Equal(t, r.Search.Genotype, r.Rows[2].Genotype, "the searched network was trained")
	require.Contains(t, strings.Join(r.Search.Cells, "; "), "feature n0 = ")
	require.Positive(t, r.Rows[1].Runs[0].SearchPasses, "of DGS")
	require.Zero(t, r.Rows[0].Runs[0].SearchPasses)
	lines := disparityTable(r)[0].Rows
	require.Len(t, lines, 3)
	for i, row := range r.Rows {
		var e measured.Evaluation
		require.NoError(t, json.Unmarshal([]byte(file(t, row.Runs[0].Dir, train.EvaluationFile)), &e))
		require.Equal(t, e.OnePixelAccuracy, row.Top1.Mean)
		require.Equal(t, e.Parameters, row.Runs[0].Parameters)
		require.Equal(t, e.MeanDisparityError, row.Runs[0].Metrics["mean_disparity_error_px"])
		require.Equal(t, mean("%.3f", 1, func(Outcome) (float64, bool) { return e.MeanDisparityError, true })(&row), lines[i][7])
		require.Equal(t, mean("%.1f", 100, func(Outcome) (float64, bool) { return e.Activity.FiringRate, true })(&row), lines[i][8])
		require.Equal(t, mean("%.4f", 1, func(Outcome) (float64, bool) { return e.Activity.Energy, true })(&row), lines[i][9])
	}
	require.Equal(t, []string{"91.00", "91.30", absent}, []string{lines[0][6], lines[1][6], lines[2][6]})
	require.Equal(t, []string{"6.7", "6.7", absent}, []string{lines[0][10], lines[1][10], lines[2][10]})
	var table strings.Builder
	require.NoError(t, r.CSV(&table))
	require.Contains(t, table.String(), ",mean_depth_error_cm,mean_disparity_error_px,")

	o.Resume = true
	var again strings.Builder
	require.NoError(t, must(t, o).CSV(&again))
	require.Equal(t, table.String(), again.String(), "nothing is left to do: the seconds are the same too")
}
