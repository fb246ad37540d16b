package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDefaultIsValid(t *testing.T) { assert.NoError(t, Default().Validate()) }

func TestValidateEdges(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"binary neuron":      func(c *Config) { c.Network.Tau = 0 },
		"no leak":            func(c *Config) { c.Network.Tau = 1 },
		"no warm-up":         func(c *Config) { c.Search.WarmupEpochs = 0 },
		"half of the images": func(c *Config) { c.Search.Images, c.Search.Batch = 200, 100 },
		"up and down": func(c *Config) {
			c.Network.Levels, c.Network.Downsample = []int{1, 2, 1, 0}, "nearest"
		},
		"search of layers": func(c *Config) { c.Search.LayerSearch, c.Network.Downsample = true, "nearest" },
		"search of two layers of 4 pixels": func(c *Config) {
			c.Search.LayerSearch, c.Network.Downsample, c.Network.Levels = true, "nearest", []int{0, 0}
			c.Data.Name, c.Data.Size, c.Train.Cutout = "imagenet", 4, 0
		},
		"one cell":             func(c *Config) { c.Network.Levels = []int{0} },
		"down to a pixel":      func(c *Config) { c.Data.Pad, c.Network.Levels = 2, []int{0, 1, 2, 3, 4, 5} },
		"device with a number": func(c *Config) { c.Run.Device = "cuda:15" },
		"ANN":                  func(c *Config) { c.Network.Activation, c.Network.Steps = "relu", 1 },
		"constant rate":        func(c *Config) { c.Train.LRMin = c.Train.LR },
		"cutout of everything": func(c *Config) { c.Train.Cutout = 28 },
		"large images": func(c *Config) {
			c.Data.Name, c.Train.Cutout, c.Network.Levels = "imagenet", 112, []int{0, 1, 2, 3, 4, 5, 6, 7}
		},
		"normalised as wished":  func(c *Config) { c.Data.Mean, c.Data.Std = []float64{0}, []float64{1} },
		"search on fewer":       func(c *Config) { c.Data.TrainImages, c.Search.Images = 4000, 4000 },
		"another surrogate":     func(c *Config) { c.Network.Surrogate = "superspike" },
		"a program's surrogate": func(c *Config) { c.Network.Surrogate = "go:my-own" },
		"checkpoints by epochs": func(c *Config) { c.Train.CheckpointMinutes = 0 },
	} {
		c := Default()
		change(c)
		assert.NoError(t, c.Validate(), name)
	}
}

func TestValidateMistakes(t *testing.T) {
	for want, change := range map[string]func(*Config){
		`run.device = "cuda:": allowed is`:                                      func(c *Config) { c.Run.Device = "cuda:" },
		`run.name = "a\nb": allowed is one line of text`:                        func(c *Config) { c.Run.Name = "a\nb" },
		`run.precision = "half": allowed is auto, float32, bfloat16 or float16`: func(c *Config) { c.Run.Precision = "half" },
		`data.name = "": allowed is cifar10, cifar10-dvs, cifar100, `:           func(c *Config) { c.Data.Name = "" },
		`data.size = -1: allowed is 0 to 4096`:                                  func(c *Config) { c.Data.Size = -1 },
		`data.std = [0.5, 0.0]: allowed is a list of numbers above 0`:           func(c *Config) { c.Data.Mean, c.Data.Std = []float64{0, 1}, []float64{0.5, 0} },
		`data.mean = [0.5]: must have as many values as data.std = []`:          func(c *Config) { c.Data.Mean = []float64{0.5} },
		`level 5 leaves nothing of images with a side of 16 pixels`: func(c *Config) {
			c.Data.Name, c.Data.Size, c.Network.Levels = "imagenet", 16, []int{0, 1, 2, 3, 4, 5}
		},
		`data.prefetch = 0: allowed is at least 1`:                   func(c *Config) { c.Data.Prefetch = 0 },
		`network.tau = 1.5: allowed is 0 to 1`:                       func(c *Config) { c.Network.Tau = 1.5 },
		`network.threshold = 0.0: allowed is above 0`:                func(c *Config) { c.Network.Threshold = 0 },
		`network.levels = []: allowed is`:                            func(c *Config) { c.Network.Levels = nil },
		`network.levels = [2, 2]: allowed is`:                        func(c *Config) { c.Network.Levels = []int{2, 2} },
		`network.levels = [0, -1]: allowed is`:                       func(c *Config) { c.Network.Levels = []int{0, -1} },
		`network.levels = [1, 2, 0]: allowed is`:                     func(c *Config) { c.Network.Levels = []int{1, 2, 0} },
		`network.levels = [0 1 0]: cell 2 goes up from level 1 to 0`: func(c *Config) { c.Network.Levels = []int{0, 1, 0} },
		`search.layer_search = true: one cell serves all levels, so set network.downsample = "nearest", not "reduction"`: func(c *Config) {
			c.Search.LayerSearch = true
		},
		`search.layer_search = true: 8 cells may reach level 3, which leaves nothing of images with a side of 7 pixels`: func(c *Config) {
			c.Search.LayerSearch, c.Network.Downsample = true, "nearest"
			c.Data.Name, c.Data.Size, c.Train.Cutout = "imagenet", 7, 0
		},
		`search.trellis_levels = 5: allowed is 1 to 4`: func(c *Config) { c.Search.TrellisLevels = 5 },
		`search.layer_search = true: 8 cells may reach level 1, which leaves nothing of images with a side of 1 pixels`: func(c *Config) {
			c.Search.LayerSearch, c.Network.Downsample, c.Search.TrellisLevels = true, "nearest", 2
			c.Data.Name, c.Data.Size, c.Train.Cutout = "imagenet", 1, 0
		},
		`search.optimizer = "rmsprop": allowed is sgd or adam`:       func(c *Config) { c.Search.Optimizer = "rmsprop" },
		`network.levels = [0, 2]: allowed is`:                        func(c *Config) { c.Network.Levels = []int{0, 2} },
		`network.levels = [0 1 2 3 4 5]: level 5 leaves nothing`:     func(c *Config) { c.Network.Levels = []int{0, 1, 2, 3, 4, 5} },
		`network.levels = [0 0 1 1 1 2 2 2]: level 2 leaves nothing`: func(c *Config) { c.Network.StemStrides = []int{3, 3} },
		`network.stem_strides = [4]: allowed is a list of 1 to 4`:    func(c *Config) { c.Network.StemStrides = []int{4} },
		`network.stem_strides = []: allowed is a list of 1 to 4`:     func(c *Config) { c.Network.StemStrides = nil },
		`network.activation = "tanh": allowed is lif or relu`:        func(c *Config) { c.Network.Activation = "tanh" },
		`set network.steps = 1, not 6`:                               func(c *Config) { c.Network.Activation = "relu" },
		`set search.steps = 1, not 2`: func(c *Config) {
			c.Network.Activation, c.Network.Steps, c.Search.Steps = "relu", 1, 2
		},
		`network.surrogate = "relu": allowed is dspike, triangular, superspike, arctan, rectangular, exponential or go:NAME`: func(c *Config) { c.Network.Surrogate = "relu" },
		`network.surrogate = "": allowed is dspike`:                    func(c *Config) { c.Network.Surrogate = "" },
		`network.surrogate = "go:": allowed is dspike`:                 func(c *Config) { c.Network.Surrogate = "go:" },
		`search.momentum = 1.0: allowed is at least 0 and below 1`:     func(c *Config) { c.Search.Momentum = 1 },
		`search.warmup_epochs = 50: must be below search.epochs = 50`:  func(c *Config) { c.Search.WarmupEpochs = 50 },
		`search.lr_min = 1: must not exceed search.lr = 0.025`:         func(c *Config) { c.Search.LRMin = 1 },
		`train.lr_min = 1: must not exceed train.lr = 0.025`:           func(c *Config) { c.Train.LRMin = 1 },
		`search.images = 500: must not exceed data.train_images = 400`: func(c *Config) { c.Search.Images, c.Data.TrainImages = 500, 400 },
		`search.batch = 50: must not exceed half of the 98 images`:     func(c *Config) { c.Search.Images = 98 },
		`search.batch = 50: must not exceed half of the 80 images`:     func(c *Config) { c.Data.TrainImages = 80 },
		`train.batch = 50: must not exceed data.train_images = 49`:     func(c *Config) { c.Data.TrainImages = 49 },
		`train.cutout = 29: must not exceed the images' side of 28`:    func(c *Config) { c.Train.Cutout = 29 },
		`search.skip_limit = 1.1: allowed is 0 to 1`:                   func(c *Config) { c.Search.SkipLimit = 1.1 },
		`train.mixing = "both": allowed is spike or membrane`:          func(c *Config) { c.Train.Mixing = "both" },
		`eval.batch = -1: allowed is at least 1`:                       func(c *Config) { c.Eval.Batch = -1 },
	} {
		c := Default()
		change(c)
		assert.Contains(t, requireInvalid(t, c.Validate()), want)
	}
}

func TestValidateReportsEveryKey(t *testing.T) {
	c := Default()
	c.Search.Epochs, c.Train.Epochs = 0, -1
	assert.Equal(t, "invalid configuration: search.epochs = 0: allowed is at least 1 | train.epochs = -1: allowed is at least 1",
		requireInvalid(t, c.Validate()))
}
