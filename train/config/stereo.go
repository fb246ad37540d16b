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
	Stereo Stereo `toml:"stereo" doc:"Event-based stereo: its data, network and loss; for data.name = \"stereo\" alone, whose training has Adam and the milestones [50, 100, 150] (paper 4.2) where train.optimizer and train.milestones are not given"`
}

// Stereo is event-based stereo: its data, network and loss. A run with another data
// set does not use it.
type Stereo struct {
	Split            string  `toml:"split" default:"scenes (this project)" allowed:"scenes, 1, 2 or 3" doc:"Division into training, validation and test frames: 1, 2 or 3 of MVSEC, or by scene after the folder's splits.json"`
	Steps            int     `toml:"steps" default:"5 (this project)" unit:"time steps" allowed:"1 to 100" doc:"Stacks T in a sequence, one a time step"`
	BurnIn           int     `toml:"burn_in" default:"0 (this project)" unit:"time steps" allowed:"at least 0" doc:"First time steps whose disparities are not in the loss"`
	Crop             []int   `toml:"crop" default:"[200, 280] (released logs)" unit:"pixels" allowed:"[] or [height, width], each 1 to 8192" doc:"Height and width of the random part of each training picture, empty for the whole"`
	MaxDisparity     int     `toml:"max_disparity" default:"63 (released logs)" unit:"pixels" allowed:"6 to 1023" doc:"Largest disparity that the network knows, a multiple of 3"`
	Stems            string  `toml:"stems" default:"B (this project)" allowed:"B, A or L" doc:"Layout of the layers in front of the feature network: B and A have two, L the three of LEAStereo"`
	Head             string  `toml:"head" default:"geometric (this project)" allowed:"geometric or trilinear" doc:"Way from planes of the volume to bins of disparity: where they lie, or plain trilinear interpolation as in LEAStereo"`
	BN               string  `toml:"bn" default:"per-step (released script)" allowed:"per-step or folded" doc:"Batch normalisation: statistics of each time step alone, or over all of them"`
	FeatureLayers    int     `toml:"feature_layers" default:"2 (paper 4.2)" unit:"cells" allowed:"1 to 16" doc:"Cells of the feature network that is searched"`
	MatchingLayers   int     `toml:"matching_layers" default:"4 (paper 4.2)" unit:"cells" allowed:"1 to 16" doc:"Cells of the matching network that is searched"`
	Diversity        float64 `toml:"diversity" default:"1.0 (Tulyakov et al. 2019)" unit:"pixels" allowed:"above 0" doc:"b of the Laplace distribution of the loss"`
	FocalBaseline    float64 `toml:"focal_baseline" default:"0.0 (this project)" unit:"px m" allowed:"at least 0" doc:"Focal length times baseline for depths, 0 for that of the data"`
	ClampAt          float64 `toml:"clamp_at" default:"0.0 (this project)" unit:"pixels" allowed:"at least 0" doc:"Disparity that smaller predictions are raised to before a depth is computed, 0 for none"`
	HalvesBlock      int     `toml:"halves_block" default:"50 (this project)" unit:"frames" allowed:"at least 1" doc:"Frames in the blocks that go to sets A and B of a search in turn"`
	ValidationFrames int     `toml:"validation_frames" default:"0 (this project)" unit:"frames" allowed:"at least 0" doc:"Frames that the model is chosen on, evenly spread, 0 for all"`
}

func init() {
	ownData = append(ownData, StereoData)
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
