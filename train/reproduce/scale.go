package reproduce

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// Scale is how much is computed.
type Scale struct {
	// Name is what a user types; About says how long it takes.
	Name  string
	About string

	dgs  []string // settings for the rows with DGS
	sets []set
}

// set is a data set at a scale.
type set struct {
	name     string
	preset   string
	settings []string
	// widths F of networks with three and four nodes. The paper's are 48 and 36: nodes
	// times width, and so the channels of a cell, stay the same.
	width3, width4 int
	stem           string // the first layer of neurons
}

// What the scales below the paper's have in place of its eight cells, and the paper's
// augmentation, where the preset of the demo is quicker still. One thread a run, and as
// many runs side by side as there are cores: on small tensors that is faster than
// sharing one run among them.
var (
	oneThread   = []string{"run.threads=1", "data.workers=1"}
	fourCells   = append([]string{"network.levels=[1,1,2,2]", "train.flip=true"}, oneThread...)
	smokeImages = append(fourCells, "data.train_images=300", "data.test_images=200", "train.epochs=2", "train.batch=50",
		"search.epochs=2", "search.warmup_epochs=1", "search.batch=50", "search.images=200", "search.width=2")
	smallImages = append(fourCells, "data.train_images=6000", "train.epochs=4", "search.images=4000")
)

// Scales are all scales, the cheapest first.
func Scales() []Scale {
	return []Scale{
		{
			Name: "smoke", About: "seconds a run: shows that everything works, the accuracy means nothing",
			dgs:  []string{"dgs.every=1", "dgs.iterations=2"},
			sets: demoSets(smokeImages, 4, 3, smokeScenes),
		},
		{
			Name: "small", About: "a minute or two a run on one core, with two cameras many: small networks, part of the training images",
			dgs:  []string{"dgs.every=1", "dgs.iterations=15"},
			sets: demoSets(smallImages, 8, 6, smallScenes),
		},
		{
			Name: "paper", About: "the paper's settings: GPU days",
			dgs: []string{"dgs.every=5", "dgs.iterations=100"},
			sets: []set{
				{name: "fashion-mnist", preset: "fashion-mnist", width3: 24, width4: 18, stem: stem},
				{name: cifar10, preset: "cifar10-paper", width3: 48, width4: 36, stem: stem},
				{name: cifar100, preset: "cifar100-paper", width3: 48, width4: 36, stem: stem},
				// The paper has one network for ImageNet, of 58 M parameters: four nodes of F = 48
				// come near it.
				{name: imagenet, preset: "imagenet-paper", width3: 48, width4: 48, stem: stem},
				mvsec,
			},
		},
	}
}

// demoSets are the data sets of the scales below the paper's.
func demoSets(images []string, width3, width4 int, two set) []set {
	return []set{
		{name: "fashion-mnist", preset: "fashion-mnist-demo", settings: images, width3: width3, width4: width4, stem: stem},
		{name: cifar10, preset: "fashion-mnist-demo", settings: slices.Concat(images, colour), width3: width3, width4: width4, stem: stem},
		two,
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
// default of an experiment first; with experiments those of their task alone.
func (s Scale) DataNames(experiments ...Experiment) []string {
	return names(s.suiting(experiments...), func(d set) string { return d.name })
}

// suiting are the data sets whose task has the subnets of the experiments' cells.
func (s Scale) suiting(experiments ...Experiment) []set {
	return slices.DeleteFunc(slices.Clone(s.sets), func(d set) bool {
		subnets := subnetsOf(d.preset)
		return subnets == nil || slices.ContainsFunc(experiments, func(e Experiment) bool { return !e.has(subnets) })
	})
}

var presets sync.Map // of subnets, by name

// subnetsOf are those of a preset's task, nil without such a preset; looked up once, since
// the help of every command needs them.
func subnetsOf(preset string) []string {
	if known, ok := presets.Load(preset); ok {
		return known.([]string)
	}
	c, err := config.Load(preset, nil)
	if err != nil {
		return nil
	}
	subnets := registry.Of(c).Subnets()
	presets.Store(preset, subnets)
	return subnets
}

// ExperimentsOn are the experiments that go with a data set of a scale; an empty name is
// its first.
func ExperimentsOn(scale, data string) ([]Experiment, error) {
	s, err := FindScale(scale)
	if err != nil {
		return nil, err
	}
	data = cmp.Or(data, s.sets[0].name)
	if _, err := find("data set of the scale "+s.Name, data, s.DataNames(), func(name string) string { return name }); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(Experiments(), func(e Experiment) bool { return !slices.Contains(s.DataNames(e), data) }), nil
}

// base is a scale on a data set, with the user's own settings: what rows build on.
type base struct {
	set
	dgs     []string // settings of the rows with DGS
	extra   []string // of the user, over all others
	deepest int      // first cell of the lowest resolution
}

// base returns the settings of an experiment on a data set; an empty name is the default one.
func (s Scale) base(e Experiment, data string, extra []string) (*base, error) {
	suiting := s.suiting(e)
	d, err := find("data set of the scale "+s.Name, cmp.Or(data, suiting[0].name), suiting, func(d set) string { return d.name })
	if err != nil {
		return nil, err
	}
	b := &base{set: d, dgs: s.dgs, extra: extra}
	c, err := config.Load(d.preset, slices.Concat(b.settings, extra))
	if err != nil {
		return nil, err
	}
	b.deepest = slices.Index(c.Network.Levels, slices.Max(c.Network.Levels))
	return b, nil
}

// of are the settings of a row, those of the user last. All rows with neurons record
// what figure 4 draws, the gradient of the first stem, so that rows of different
// experiments stay equal.
func (b *base) of(r Row) []string {
	all := slices.Concat(b.settings, b.own(r))
	if !r.analog() {
		all = append(all, b.fill(`dgs.watch=["{stem}"]`))
	}
	return append(all, b.extra...)
}

// own are the settings that a row has over those of all rows.
func (b *base) own(r Row) []string {
	var all []string
	for _, one := range r.Settings {
		all = append(all, b.fill(one))
	}
	if r.DGS {
		all = append(all, b.dgs...)
	}
	return all
}

// fill puts values in the places that the settings of a row leave open.
func (b *base) fill(setting string) string {
	return strings.NewReplacer(
		"{deepest}", strconv.Itoa(b.deepest), "{width3}", strconv.Itoa(b.width3), "{width4}", strconv.Itoa(b.width4), "{stem}", b.stem,
	).Replace(setting)
}

// load is the configuration of a row.
func (b *base) load(r Row, seed int64) (*config.Config, error) {
	return config.Load(b.preset, append(b.of(r), fmt.Sprintf("run.seed=%d", seed)))
}
