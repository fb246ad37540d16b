package train

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/data/synth"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// The published network (f = 8) learns eight windows of the small synthetic scenes by
// heart: fewer than 5 % of their pixels are off by more than 1 px. Some minutes.
func TestStereoOverfitsEightWindows(t *testing.T) {
	if os.Getenv("SPIKEDHS_SLOW") == "" {
		t.Skip("takes 7 to 12 minutes; set SPIKEDHS_SLOW=1 and go test -timeout 20m")
	}
	o, err := synth.Preset("small")
	require.NoError(t, err)
	o.Scenes, o.Frames, o.Seed = 4, 12, 5
	dir := t.TempDir()
	require.NoError(t, synth.Generate(context.Background(), dir, o))
	c, err := config.Load("stereo-synthetic", []string{"run.device=cpu", "run.precision=float32", "train.batch=4", "train.width=8"})
	require.NoError(t, err)
	c.Data.Path = dir
	sets, err := openRecordings(c, nil)
	require.NoError(t, err)
	var windows []data.Frame // of all four scenes
	for _, name := range sets.set.Sequences() {
		for _, i := range []int{5, 10} {
			windows = append(windows, data.Frame{Sequence: name, Index: i})
		}
	}
	require.NoError(t, torch.Seed(1))
	g, err := genotype.Preset(genotype.PresetStereo)
	require.NoError(t, err)
	net, err := stereo.NewNetwork(torch.CPU(), g, StereoTrainOptions(c, sets.set.Channels(), "float32"))
	require.NoError(t, err)
	defer net.Close()
	step, err := NewStereoStep(net, c)
	require.NoError(t, err)
	defer step.Close()
	loader, err := sets.loader(c, windows, c.Stereo.Steps, c.Train.Batch, 1)
	require.NoError(t, err)
	const epochs = 400
	for epoch := range epochs {
		step.Optimizer.SetLearningRate(torch.Cosine(5e-3, 5e-5, float64(epoch)/epochs))
		batches := loader.Epoch(context.Background(), epoch, 0)
		for {
			b, err := batches.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			s := torch.NewScope()
			on := stereoToDevice(s, torch.CPU(), b)
			loss, _ := step.Run(s, on.left, on.right, on.labels)
			if epoch%40 == 39 && b.Index == 0 {
				t.Logf("epoch %d: loss %.3f", epoch+1, s.Item(loss))
			}
			b.Release()
			require.NoError(t, s.Close())
		}
		batches.Close()
	}
	e, err := stereoJudge{c, sets, torch.CPU()}.judge(context.Background(), net, windows, nil, nil)
	require.NoError(t, err)
	t.Logf("1PE %.2f %%, mean error %.3f px", 100-e.OnePixelAccuracy, e.MeanDisparityError)
	assert.Less(t, 100-e.OnePixelAccuracy, 5.0)
}
