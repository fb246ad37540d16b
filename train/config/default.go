package config

import "github.com/spikedhs/spikedhs/search/genotype"

// Default returns the defaults: the paper's CIFAR settings where it states them,
// the released script's where it does not, on Fashion-MNIST.
func Default() *Config {
	c := &Config{
		Run: Run{
			Seed:           1,
			Device:         "auto",
			Precision:      "auto",
			Graphs:         "off",
			CuDNNBenchmark: true,
			TF32:           "auto",
		},
		Data: Data{
			Name:       "fashion-mnist",
			MaxCorrupt: 0.01,
			Mean:       []float64{},
			Std:        []float64{},
			Prefetch:   4,
			Resident:   "auto",
			Events:     "time",
			Stack:      "binary",
			Sensor:     []int{},
			Columns:    "auto",
		},
		Network: Network{
			Nodes:       3,
			Levels:      []int{0, 0, 1, 1, 1, 2, 2, 2},
			Steps:       6,
			Tau:         0.2,
			Threshold:   0.5,
			Temperature: 3,
			Surrogate:   "dspike",
			Activation:  "lif",
			StemStrides: []int{1},
			Downsample:  "reduction",
			Head:        "rate",
			BN:          "folded",
		},
		Search: Search{
			Epochs:            50,
			WarmupEpochs:      15,
			Batch:             50,
			Width:             8,
			TrellisLevels:     4,
			Operations:        genotype.OpNames(),
			Mixing:            "spike",
			Stem:              "relu",
			Optimizer:         "sgd",
			LR:                0.025,
			Momentum:          0.9,
			WeightDecay:       3e-4,
			Clip:              5,
			AlphaLR:           1e-3,
			AlphaBeta1:        0.9,
			AlphaBeta2:        0.999,
			AlphaWeightDecay:  1e-3,
			AlphaInit:         1e-3,
			CheckpointMinutes: 10,
		},
		Train: Train{
			Width:             48,
			Mixing:            "membrane",
			Epochs:            100,
			Batch:             50,
			Optimizer:         "sgd",
			LR:                0.025,
			Milestones:        []int{},
			Decay:             0.5,
			Momentum:          0.9,
			WeightDecay:       3e-4,
			Clip:              5,
			AuxiliaryWeight:   0.4,
			CropPadding:       4,
			CropMinArea:       0.08,
			Flip:              true,
			Cutout:            16,
			EvalEvery:         1,
			CheckpointMinutes: 10,
		},
		DGS: DGS{
			Layers:     []string{},
			AutoLayers: 1,
			Watch:      []string{},
			Candidates: 5,
			Delta:      0.2,
			Iterations: 100,
			Every:      5,
			Epsilon:    1e-3,
			AlphaLR:    0.01,
			Min:        1,
			Max:        6,
			Estimate:   "auto",
		},
		Eval: Eval{Batch: 100, Precision: "auto"},
	}
	for _, set := range defaults {
		set(c)
	}
	return c
}

// defaults are those of the tasks' sections.
var defaults []func(c *Config)
