//go:build fakedevice

package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// Search and training of stereo are recorded as those of images are: steps read nothing
// back while they are captured, and replays on data that lie on the device leave the weights
// of steps one by one on data that do not. (Sums of a search's gradients round as they come,
// recorded or not.)
func TestDeviceStereoGraphs(t *testing.T) {
	t.Chdir(t.TempDir())
	done(t, "data", "synth", "--scenes", "4", "--frames", "6", "--seed", "3", "--out", "scenes")
	common := append(set(small...), set("data.path=scenes", "stereo.split=scenes", "stereo.crop=[]", "stereo.max_disparity=21", "stereo.steps=2",
		"stereo.halves_block=1", "search.images=8", "search.batch=1", "train.batch=1", "stereo.validation_frames=0", "run.precision=float32")...)
	for _, verb := range []string{"train", "search"} {
		start := slices.Concat([]string{verb, "--config", "stereo-synthetic", "--device", "cuda"}, common)
		if verb == "train" {
			start = append(start, "--genotype", "spikedhs-stereo")
		}
		onDevice(t, append(slices.Clone(start), append(set("data.resident=off"), "--out", verb+"-eager")...)...)
		r := onDevice(t, append(slices.Clone(start), append(set("run.graphs=auto", "data.resident=on"), "--out", verb+"-graphs")...)...)
		assert.NotContains(t, r.stderr, "not recorded")
		counts, err := torch.ReadFake()
		require.NoError(t, err)
		assert.Positive(t, counts.Replays, verb)
		if verb == "train" {
			assert.Equal(t, weights(t, verb+"-eager"), weights(t, verb+"-graphs"))
		}
	}
}
