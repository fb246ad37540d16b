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
		"stereo.optimizer=rmsprop":      "train.optimizer = \"rmsprop\": allowed is sgd or adam",
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

// Keys that [stereo] had once mean what they meant, wherever they stand; where none is
// given, stereo's own defaults hold.
func TestKeysThatMoved(t *testing.T) {
	const stereo = "[data]\nname = 'stereo'\n"
	recorded := heading + "[train]\noptimizer = 'sgd'\nmilestones = []\ndecay = 0.5\n[stereo]\noptimizer = 'adam'\nmilestones = [3]\ndecay = 0.25\n"
	type course struct {
		optimizer  string
		milestones []int
		decay      float64
	}
	paper := course{"adam", []int{50, 100, 150}, 0.5}
	for name, c := range map[string]struct {
		document string
		sets     []string
		want     course
	}{
		"none":                    {stereo, nil, paper},
		"none, by a setting":      {"", []string{"data.name=stereo"}, paper},
		"images":                  {"", nil, course{"sgd", []int{}, 0.5}},
		"images, recorded":        {recorded, nil, course{"sgd", []int{}, 0.5}},
		"recorded":                {recorded + stereo, nil, course{"adam", []int{3}, 0.25}},
		"images, both":            {"[train]\ndecay = 0.4\n[stereo]\ndecay = 0.1\n", nil, course{"sgd", []int{}, 0.4}},
		"old":                     {stereo + "[stereo]\noptimizer = 'sgd'\nmilestones = []\n", nil, course{"sgd", []int{}, 0.5}},
		"new":                     {stereo + "[train]\noptimizer = 'sgd'\nmilestones = [7]\n", nil, course{"sgd", []int{7}, 0.5}},
		"old setting":             {stereo + "[train]\ndecay = 0.1\n", []string{"stereo.decay=0.2", "stereo.milestones=[1, 2]"}, course{"adam", []int{1, 2}, 0.2}},
		"new setting":             {recorded + stereo, []string{"train.optimizer=sgd"}, course{"sgd", []int{3}, 0.25}},
		"the same setting, twice": {stereo, []string{"stereo.decay=0.2", "stereo.decay=0.3"}, course{"adam", []int{50, 100, 150}, 0.3}},
	} {
		got, err := Load(write(t, "mine.toml", c.document), c.sets)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, course{got.Train.Optimizer, got.Train.Milestones, got.Train.Decay}, name)
		again, err := Parse("encoded", []byte(encoded(t, got)))
		require.NoError(t, err, name)
		assert.Equal(t, got, again, name)
	}
	for want, c := range map[string]struct {
		document string
		sets     []string
	}{
		"mine.toml:6: stereo.decay is called train.decay now, which is given, too; leave stereo.decay out": {
			stereo + "[train]\ndecay = 0.5\n[stereo]\ndecay = 0.5\n", nil},
		"--set stereo.optimizer=sgd: stereo.optimizer is called train.optimizer now": {stereo, []string{"train.optimizer=sgd", "stereo.optimizer=sgd"}},
		"--set train.optimizer=sgd: stereo.optimizer is called train.optimizer now":  {stereo, []string{"stereo.optimizer=sgd", "train.optimizer=sgd"}},
		`mine.toml:4: stereo.optimizer wants a string, not the integer 1`:            {stereo + "[stereo]\noptimizer = 1\n", nil},
		`mine.toml:4: train.decay = 2.0: allowed is above 0 and up to 1`:             {stereo + "[stereo]\ndecay = 2\n", nil},
		`--set stereo.milestones=3: stereo.milestones wants a list`:                  {stereo, []string{"stereo.milestones=3"}},
	} {
		_, err := Load(write(t, "mine.toml", c.document), c.sets)
		assert.Contains(t, requireInvalid(t, err), want)
	}
}
