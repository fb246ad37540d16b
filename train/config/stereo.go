package config

// StereoData is the value of data.name that makes a run one of event-based stereo:
// a folder of stereo recordings in data.path, the network of [stereo].
const StereoData = "stereo"

// IsStereo tells whether a run is one of event-based stereo. Such a run reads
// sections [run], [stereo], [search], [train], [dgs] and [eval], of [data] name,
// path, train_images, test_images, workers, prefetch and resident, and of [network] tau,
// threshold, temperature and surrogate; the other keys are about images and are not used.
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
	// ValidationFrames limits the frames that the model is chosen on, evenly spread, 0 for all. Unit: frames. Default 0 (this project).
	ValidationFrames int `toml:"validation_frames"`
}

func init() {
	ownData = append(ownData, StereoData)
	addSection("dgs", section{"stereo", "Event-based stereo: its data, network and loss; for data.name = \"stereo\" alone, whose training has Adam and the milestones [50, 100, 150] (paper 4.2) where train.optimizer and train.milestones are not given"}, stereoKeys)
	ownConflicts = append(ownConflicts, func(c *Config, conflict func(holds bool, key, format string, args ...any)) bool {
		if c.IsStereo() {
			c.stereoConflicts(conflict)
		}
		return c.IsStereo()
	})
	// The paper's training (4.2), which had keys in [stereo] once.
	movedKeys = append(movedKeys,
		movedKey{"stereo.optimizer", "train.optimizer", (*Config).IsStereo, "adam"},
		movedKey{"stereo.milestones", "train.milestones", (*Config).IsStereo, []any{int64(50), int64(100), int64(150)}},
		movedKey{"stereo.decay", "train.decay", (*Config).IsStereo, 0.5})
}

// stereoKeys are the table of the section.
var stereoKeys = []Key{
	{"stereo.split", "Division into training, validation and test frames: 1, 2 or 3 of MVSEC, or by scene after the folder's splits.json", "", ours, "scenes", oneOf("scenes", "1", "2", "3")},
	{"stereo.steps", "Stacks T in a sequence, one a time step", "time steps", ours, 5, between(1, 100)},
	{"stereo.burn_in", "First time steps whose disparities are not in the loss", "time steps", ours, 0, atLeast(0)},
	{"stereo.crop", "Height and width of the random part of each training picture, empty for the whole", "pixels", logs, []int{200, 280}, pair("height, width", 8192)},
	{"stereo.max_disparity", "Largest disparity that the network knows, a multiple of 3", "pixels", logs, 63, between(6, 1023)},
	{"stereo.stems", "Layout of the layers in front of the feature network: B and A have two, L the three of LEAStereo", "", ours, "B", oneOf("B", "A", "L")},
	{"stereo.head", "Way from planes of the volume to bins of disparity: where they lie, or plain trilinear interpolation as in LEAStereo", "", ours, "geometric", oneOf("geometric", "trilinear")},
	{"stereo.bn", "Batch normalisation: statistics of each time step alone, or over all of them", "", released, "per-step", oneOf("per-step", "folded")},
	{"stereo.feature_layers", "Cells of the feature network that is searched", "cells", "paper 4.2", 2, between(1, 16)},
	{"stereo.matching_layers", "Cells of the matching network that is searched", "cells", "paper 4.2", 4, between(1, 16)},
	{"stereo.diversity", "b of the Laplace distribution of the loss", "pixels", "Tulyakov et al. 2019", 1, positive},
	{"stereo.focal_baseline", "Focal length times baseline for depths, 0 for that of the data", "px m", ours, 0, atLeast(0)},
	{"stereo.clamp_at", "Disparity that smaller predictions are raised to before a depth is computed, 0 for none", "pixels", ours, 0, atLeast(0)},
	{"stereo.halves_block", "Frames in the blocks that go to sets A and B of a search in turn", "frames", ours, 50, atLeast(1)},
	{"stereo.validation_frames", "Frames that the model is chosen on, evenly spread, 0 for all", "frames", ours, 0, atLeast(0)},
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
