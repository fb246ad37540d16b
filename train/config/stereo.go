package config

// StereoData is the value of data.name that makes a run one of event-based stereo:
// a folder of stereo recordings in data.path, the network of [stereo].
const StereoData = "stereo"

// IsStereo tells whether a run is one of event-based stereo. Such a run reads
// sections [run], [stereo], [search], [train], [dgs] and [eval], of [data] name,
// path, workers and prefetch, and of [network] tau, threshold, temperature and
// surrogate; the other keys are about images and are not used.
func (c *Config) IsStereo() bool { return c.Data.Name == StereoData }

// Tasks are the sections of tasks.
type Tasks struct {
	Stereo Stereo `toml:"stereo"`
}

// Stereo is event-based stereo: its data, network and loss. A run with another data
// set does not use it.
type Stereo struct {
	// Split is the division into training, validation and test frames: 1, 2 or 3 of MVSEC, or by scene after the folder's splits.json. Default "scenes" (this project).
	Split string `toml:"split"`
	// Steps is the number T of stacks in a sequence, one a time step. Unit: time steps. Default 5 (this project).
	Steps int `toml:"steps"`
	// BurnIn is the number of first time steps whose disparities are not in the loss. Unit: time steps. Default 0 (this project).
	BurnIn int `toml:"burn_in"`
	// Crop is the height and width of the random part of each training picture, empty for the whole. Unit: pixels. Default [200, 280] (released logs).
	Crop []int `toml:"crop"`
	// MaxDisparity is the largest disparity that the network knows, a multiple of 3. Unit: pixels. Default 63 (released logs).
	MaxDisparity int `toml:"max_disparity"`
	// Stems is the layout of the layers in front of the feature network: B and A have two, L the three of LEAStereo. Default "B" (this project).
	Stems string `toml:"stems"`
	// Head is how planes of the volume become bins of disparity: where they lie, or by plain trilinear interpolation as in LEAStereo. Default "geometric" (this project).
	Head string `toml:"head"`
	// BN is the batch normalisation: statistics of each time step alone, or over all of them. Default "per-step" (released script).
	BN string `toml:"bn"`
	// FeatureLayers is the number of cells of the feature network that is searched. Unit: cells. Default 2 (paper 4.2).
	FeatureLayers int `toml:"feature_layers"`
	// MatchingLayers is the number of cells of the matching network that is searched. Unit: cells. Default 4 (paper 4.2).
	MatchingLayers int `toml:"matching_layers"`
	// Diversity is b of the Laplace distribution of the loss. Unit: pixels. Default 1.0 (Tulyakov et al. 2019).
	Diversity float64 `toml:"diversity"`
	// FocalBaseline is focal length times baseline for depths, 0 for that of the data. Unit: px m. Default 0.0 (this project).
	FocalBaseline float64 `toml:"focal_baseline"`
	// ClampAt is the disparity that smaller predictions are raised to before a depth is computed, 0 for none. Unit: pixels. Default 0.0 (this project).
	ClampAt float64 `toml:"clamp_at"`
	// HalvesBlock is the length of the blocks of frames that go to sets A and B of a search in turn. Unit: frames. Default 50 (this project).
	HalvesBlock int `toml:"halves_block"`
	// Optimizer is that of the training of a genotype. Default "adam" (paper 4.2).
	Optimizer string `toml:"optimizer"`
	// Milestones are the epochs after which the learning rate of a training is multiplied by stereo.decay; empty for a cosine down to train.lr_min. Unit: epochs. Default [50, 100, 150] (paper 4.2).
	Milestones []int `toml:"milestones"`
	// Decay is the factor of the learning rate at each milestone. Default 0.5 (paper 4.2).
	Decay float64 `toml:"decay"`
	// ValidationFrames limits the frames that the model is chosen on, evenly spread, 0 for all. Unit: frames. Default 0 (this project).
	ValidationFrames int `toml:"validation_frames"`
}

func init() {
	ownData = append(ownData, StereoData)
	addSection("dgs", section{"stereo", "Event-based stereo: its data, network and loss; for data.name = \"stereo\" alone"}, stereoKeys)
	defaults = append(defaults, func(c *Config) {
		c.Stereo = Stereo{
			Split:          "scenes",
			Steps:          5,
			Crop:           []int{200, 280},
			MaxDisparity:   63,
			Stems:          "B",
			Head:           "geometric",
			BN:             "per-step",
			FeatureLayers:  2,
			MatchingLayers: 4,
			Diversity:      1,
			HalvesBlock:    50,
			Optimizer:      "adam",
			Milestones:     []int{50, 100, 150},
			Decay:          0.5,
		}
	})
	ownConflicts = append(ownConflicts, func(c *Config, conflict func(holds bool, key, format string, args ...any)) bool {
		if c.IsStereo() {
			c.stereoConflicts(conflict)
		}
		return c.IsStereo()
	})
}

// stereoKeys are the table of the section.
var stereoKeys = []Key{
	{"stereo.split", "Division into training, validation and test frames: 1, 2 or 3 of MVSEC, or by scene after the folder's splits.json", "", ours, oneOf("scenes", "1", "2", "3")},
	{"stereo.steps", "Stacks T in a sequence, one a time step", "time steps", ours, between(1, 100)},
	{"stereo.burn_in", "First time steps whose disparities are not in the loss", "time steps", ours, atLeast(0)},
	{"stereo.crop", "Height and width of the random part of each training picture, empty for the whole", "pixels", logs, cropSize},
	{"stereo.max_disparity", "Largest disparity that the network knows, a multiple of 3", "pixels", logs, between(6, 1023)},
	{"stereo.stems", "Layout of the layers in front of the feature network: B and A have two, L the three of LEAStereo", "", ours, oneOf("B", "A", "L")},
	{"stereo.head", "Way from planes of the volume to bins of disparity: where they lie, or plain trilinear interpolation as in LEAStereo", "", ours, oneOf("geometric", "trilinear")},
	{"stereo.bn", "Batch normalisation: statistics of each time step alone, or over all of them", "", released, oneOf("per-step", "folded")},
	{"stereo.feature_layers", "Cells of the feature network that is searched", "cells", "paper 4.2", between(1, 16)},
	{"stereo.matching_layers", "Cells of the matching network that is searched", "cells", "paper 4.2", between(1, 16)},
	{"stereo.diversity", "b of the Laplace distribution of the loss", "pixels", "Tulyakov et al. 2019", positive},
	{"stereo.focal_baseline", "Focal length times baseline for depths, 0 for that of the data", "px m", ours, atLeast(0)},
	{"stereo.clamp_at", "Disparity that smaller predictions are raised to before a depth is computed, 0 for none", "pixels", ours, atLeast(0)},
	{"stereo.halves_block", "Frames in the blocks that go to sets A and B of a search in turn", "frames", ours, atLeast(1)},
	{"stereo.optimizer", "Optimiser of the training of a genotype", "", "paper 4.2", oneOf("adam", "sgd")},
	{"stereo.milestones", "Epochs after which the learning rate of a training is multiplied by stereo.decay; empty for a cosine down to train.lr_min", "epochs", "paper 4.2", ascending},
	{"stereo.decay", "Factor of the learning rate at each milestone", "", "paper 4.2", decay},
	{"stereo.validation_frames", "Frames that the model is chosen on, evenly spread, 0 for all", "frames", ours, atLeast(0)},
}

// stereoConflicts checks what involves more than one key of a stereo run.
func (c *Config) stereoConflicts(conflict func(holds bool, key, format string, args ...any)) {
	s := &c.Stereo
	conflict(s.MaxDisparity%3 == 0, "stereo.max_disparity", "%d: must be a multiple of 3 pixels, the distance of two planes", s.MaxDisparity)
	conflict(s.BurnIn < s.Steps, "stereo.burn_in", "%d: must be below stereo.steps = %d, or nothing is left for the loss", s.BurnIn, s.Steps)
	conflict(c.Network.Activation == "lif", "network.activation", "%q: the stereo network has spiking neurons; set it to \"lif\"", c.Network.Activation)
	for _, w := range []struct {
		key   string
		width int
	}{{"search.width", c.Search.Width}, {"train.width", c.Train.Width}} {
		conflict(s.Stems == "A" || w.width%2 == 0, w.key, "%d: must be even with stereo.stems = %q", w.width, s.Stems)
	}
	if len(s.Crop) == 2 {
		conflict(s.Crop[1] > s.MaxDisparity+3, "stereo.crop", "%v: a width of %d pixels has no room for a disparity of %d", s.Crop, s.Crop[1], s.MaxDisparity)
	}
}
