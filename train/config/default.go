package config

// Default returns the defaults: the paper's CIFAR settings where it states them,
// the released script's where it does not, on Fashion-MNIST.
func Default() *Config {
	return &Config{
		Run: Run{
			Seed:      1,
			Device:    "auto",
			Precision: "auto",
		},
		Data: Data{
			Name:     "fashion-mnist",
			Prefetch: 4,
		},
		Network: Network{
			Nodes:       3,
			Levels:      []int{0, 0, 1, 1, 1, 2, 2, 2},
			Steps:       6,
			Tau:         0.2,
			Threshold:   0.5,
			Temperature: 3,
			Downsample:  "reduction",
			Head:        "rate",
			BN:          "folded",
		},
		Search: Search{
			Epochs:            50,
			WarmupEpochs:      15,
			Batch:             50,
			Width:             8,
			Mixing:            "spike",
			Stem:              "relu",
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
			LR:                0.025,
			Momentum:          0.9,
			WeightDecay:       3e-4,
			Clip:              5,
			AuxiliaryWeight:   0.4,
			CropPadding:       4,
			Flip:              true,
			Cutout:            16,
			EvalEvery:         1,
			CheckpointMinutes: 10,
		},
		Eval: Eval{Batch: 100, Precision: "auto"},
	}
}
