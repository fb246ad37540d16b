package config

// Train is the training of a genotype from scratch.
type Train struct {
	// Genotype is the genotype to train, a file or the name of a preset; empty for the one found by the run's own search. Default "" (this project).
	Genotype string `toml:"genotype"`
	// Width is the width F of a node at level 0. Unit: channels. Default 48 (released script).
	Width int `toml:"width"`
	// Mixing is where the operations of a node meet: their spikes, or the current into the membrane. Default "membrane" (paper 3.2.1).
	Mixing string `toml:"mixing"`
	// Epochs is the length of the training. Unit: epochs. Default 100 (paper 4.1.1).
	Epochs int `toml:"epochs"`
	// Batch is the batch size of the training. Unit: images. Default 50 (paper 4.1.1).
	Batch int `toml:"batch"`
	// Optimizer is the optimiser: SGD with train.momentum, or Adam; of a task with a section of its own, that section's. Default "sgd" (paper 4.1.1).
	Optimizer string `toml:"optimizer"`
	// LR is the learning rate at the start of its cosine. Default 0.025 (paper 4.1.1).
	LR float64 `toml:"lr"`
	// LRMin is the learning rate at the end of its cosine. Default 0.0 (released script).
	LRMin float64 `toml:"lr_min"`
	// Milestones are the epochs after which the learning rate is multiplied by train.decay, in place of the cosine; of a task with a section of its own, that section's. Unit: epochs. Default [] (this project).
	Milestones []int `toml:"milestones"`
	// Decay is the factor of the learning rate at each milestone. Default 0.5 (this project).
	Decay float64 `toml:"decay"`
	// Momentum is the momentum of SGD. Default 0.9 (paper 4.1.1).
	Momentum float64 `toml:"momentum"`
	// WeightDecay is the weight decay of SGD. Default 0.0003 (paper 4.1.1).
	WeightDecay float64 `toml:"weight_decay"`
	// Clip is the norm that gradients are clipped to, 0 for none. Default 5.0 (released script).
	Clip float64 `toml:"clip"`
	// AuxiliaryWeight is the weight of the auxiliary head's loss, 0 for no such head. Default 0.4 (released script).
	AuxiliaryWeight float64 `toml:"auxiliary_weight"`
	// CropPadding is the border of zeros before a random crop back to the image's size, 0 for no crop. Unit: pixels. Default 4 (released script).
	CropPadding int `toml:"crop_padding"`
	// CropMinArea is the smallest share of a picture's area in a random resized crop of imagenet and image-folder, which takes the place of train.crop_padding there; 0 for the centre crop. Default 0.08 (Szegedy et al. 2015).
	CropMinArea float64 `toml:"crop_min_area"`
	// Flip mirrors every other image at random. Default true (released script).
	Flip bool `toml:"flip"`
	// Cutout is the side of the square that is blanked at random, 0 for none. Unit: pixels. Default 16 (released script).
	Cutout int `toml:"cutout"`
	// EvalEvery is the time between evaluations. Unit: epochs. Default 1 (this project).
	EvalEvery int `toml:"eval_every"`
	// CheckpointMinutes is the time between checkpoints, 0 for the ends of epochs only. Unit: minutes. Default 10.0 (this project).
	CheckpointMinutes float64 `toml:"checkpoint_minutes"`
}
