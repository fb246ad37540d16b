package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStereoConflicts(t *testing.T) {
	stereo := []string{"data.name=stereo", "search.width=4", "train.width=8"}
	c, err := Load("", stereo)
	require.NoError(t, err)
	assert.True(t, c.IsStereo())
	assert.False(t, Default().IsStereo())
	for set, want := range map[string]string{
		"stereo.max_disparity=22":       "stereo.max_disparity = 22: must be a multiple of 3",
		"stereo.burn_in=5":              "stereo.burn_in = 5: must be below stereo.steps = 5",
		"network.activation=relu":       `network.activation = "relu": the stereo network has spiking neurons`,
		"train.width=3":                 "train.width = 3: must be even",
		"search.width=1":                "search.width = 1: must be even",
		"stereo.crop=[100, 60]":         "a width of 60 pixels has no room for a disparity of 63",
		"stereo.crop=[100]":             "allowed is [] or [height, width]",
		"stereo.milestones=[50, 50]":    "allowed is a list of numbers above 0, each larger than the one before",
		"stereo.split=4":                "allowed is scenes, 1, 2 or 3",
		"stereo.optimizer=rmsprop":      "allowed is adam or sgd",
		"stereo.decay=2.0":              "allowed is above 0 and up to 1",
		"stereo.max_disparity=-3":       "allowed is 6 to 1023",
		"stereo.steps=0":                "allowed is 1 to 100",
		"stereo.matching_layers=0":      "allowed is 1 to 16",
		"stereo.validation_frames=-1":   "allowed is at least 0",
		"search.warmup_epochs=50":       "search.warmup_epochs = 50",
		"stereo.crop=[0, 90]":           "allowed is [] or [height, width]",
		"stereo.feature_layers=\"two\"": "stereo.feature_layers",
	} {
		_, err := Load("", append(stereo[:len(stereo):len(stereo)], set))
		assert.ErrorIs(t, err, ErrInvalid, set)
		assert.ErrorContains(t, err, want, set)
	}
	// What is about images does not bind a stereo run.
	_, err = Load("", append(stereo[:len(stereo):len(stereo)], "train.cutout=400", "train.batch=2", "data.train_images=1"))
	assert.NoError(t, err)
	_, err = Load("", append(stereo[:len(stereo):len(stereo)], "stereo.stems=A", "train.width=3"))
	assert.NoError(t, err, "stems A take odd widths")
}
