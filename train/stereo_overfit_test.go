package train

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/synth"
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
	c, err := config.Load("stereo-synthetic", []string{
		"run.device=cpu", "run.precision=float32", "data.train_images=8", "train.genotype=spikedhs-stereo", "train.batch=4", "train.width=8",
		"train.epochs=400", "train.lr=0.005", "train.lr_min=0.00005", "train.eval_every=400",
	})
	require.NoError(t, err)
	b := &bench{dir: t.TempDir(), config: c}
	c.Data.Path = dir
	mustTrain(t, b.job("run"))
	accuracy := number(t, lastEpoch(t, b, "run"), "one_pixel_accuracy")
	t.Logf("1PE %.2f %%", 100-accuracy)
	assert.Greater(t, accuracy, 95.0)
}
