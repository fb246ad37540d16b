package reproduce

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/train/config"
)

// Scale is how much is computed.
type Scale struct {
	// Name is what a user types; About says how long it takes.
	Name  string
	About string

	settings []string // for every data set
	dgs      []string // for the rows with DGS
	sets     []set
}

// set is a data set at a scale.
type set struct {
	name     string
	preset   string
	settings []string
	// widths F of networks with three and four nodes. The paper's are 48 and 36: nodes
	// times width, and so the channels of a cell, stay the same.
	width3, width4 int
}

// What the scales below the paper's have in place of its eight cells, and the paper's
// augmentation, where the preset of the demo is quicker still.
const (
	fourCells = "network.levels=[1,1,2,2]"
	mirrored  = "train.flip=true"
)

// Scales are all scales, the cheapest first.
func Scales() []Scale {
	return []Scale{
		{
			Name: "smoke", About: "seconds a run: shows that everything works, the accuracy means nothing",
			settings: []string{
				fourCells, mirrored, "run.threads=1", "data.workers=1", "data.train_images=300", "data.test_images=200",
				"train.epochs=2", "train.batch=50",
				"search.epochs=2", "search.warmup_epochs=1", "search.batch=50", "search.images=200", "search.width=2",
			},
			dgs: []string{"dgs.every=1", "dgs.iterations=2"},
			sets: []set{
				{name: "fashion-mnist", preset: "fashion-mnist-demo", width3: 4, width4: 3},
				{name: cifar10, preset: "fashion-mnist-demo", settings: colour, width3: 4, width4: 3},
			},
		},
		{
			Name: "small", About: "a minute or two a run on one core: small networks, part of the training images",
			settings: []string{
				// One thread a run, and as many runs side by side as there are cores: on small
				// tensors that is faster than sharing one run among them.
				fourCells, mirrored, "run.threads=1", "data.workers=1",
				"data.train_images=6000", "train.epochs=4",
				"search.images=4000",
			},
			dgs: []string{"dgs.every=1", "dgs.iterations=15"},
			sets: []set{
				{name: "fashion-mnist", preset: "fashion-mnist-demo", width3: 8, width4: 6},
				{name: cifar10, preset: "fashion-mnist-demo", settings: colour, width3: 8, width4: 6},
			},
		},
		{
			Name: "paper", About: "the paper's settings: GPU days",
			dgs: []string{"dgs.every=5", "dgs.iterations=100"},
			sets: []set{
				{name: "fashion-mnist", preset: "fashion-mnist", width3: 24, width4: 18},
				{name: cifar10, preset: "cifar10-paper", width3: 48, width4: 36},
				{name: cifar100, preset: "cifar100-paper", width3: 48, width4: 36},
				// The paper has one network for ImageNet, of 58 M parameters: four nodes of F = 48
				// come near it.
				{name: imagenet, preset: "imagenet-paper", width3: 48, width4: 48},
			},
		},
	}
}

// colour turns the preset of the demo into one for CIFAR-10.
var colour = []string{"data.name=cifar10", "data.pad=0", "train.crop_padding=4"}

// ScaleNames are the names of all scales.
func ScaleNames() []string { return names(Scales(), func(s Scale) string { return s.Name }) }

// FindScale returns a scale by its name.
func FindScale(name string) (Scale, error) {
	return find("scale", name, Scales(), func(s Scale) string { return s.Name })
}

// DataNames are the names of the data sets that the scale has settings for, the
// default first.
func (s Scale) DataNames() []string { return names(s.sets, func(d set) string { return d.name }) }

// base is a scale on a data set, with the user's own settings: what rows build on.
type base struct {
	set
	settings []string // of all rows
	dgs      []string // of the rows with DGS
	extra    []string // of the user, over all others
	deepest  int      // first cell of the lowest resolution
}

// base returns the settings on a data set; an empty name is the default one.
func (s Scale) base(data string, extra []string) (*base, error) {
	if data == "" {
		data = s.sets[0].name
	}
	d, err := find("data set of the scale "+s.Name, data, s.sets, func(d set) string { return d.name })
	if err != nil {
		return nil, err
	}
	b := &base{set: d, settings: slices.Concat(s.settings, d.settings), dgs: s.dgs, extra: extra}
	c, err := config.Load(d.preset, slices.Concat(b.settings, extra))
	if err != nil {
		return nil, err
	}
	b.deepest = slices.Index(c.Network.Levels, slices.Max(c.Network.Levels))
	return b, nil
}

// of are the settings of a row, those of the user last.
func (b *base) of(r Row) []string {
	all := slices.Clone(b.settings)
	if r.DGS {
		all = append(all, b.dgs...)
	}
	for _, one := range r.Settings {
		all = append(all, b.fill(one))
	}
	all = append(all, recorded(r)...)
	return append(all, b.extra...)
}

// fill puts values in the places that the settings of a row leave open.
func (b *base) fill(setting string) string {
	return strings.NewReplacer(
		"{deepest}", strconv.Itoa(b.deepest), "{width3}", strconv.Itoa(b.width3), "{width4}", strconv.Itoa(b.width4),
	).Replace(setting)
}

// load is the configuration of a row.
func (b *base) load(r Row, seed int64) (*config.Config, error) {
	return config.Load(b.preset, append(b.of(r), fmt.Sprintf("run.seed=%d", seed)))
}

// recorded are the settings that make a run record what figure 4 draws: the gradient
// of the first stem. All rows with neurons have them, so that rows of different
// experiments stay equal.
func recorded(r Row) []string {
	if r.analog() {
		return nil
	}
	return []string{`dgs.watch=["stem0"]`}
}
