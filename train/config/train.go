package config

// Train is the training of a genotype from scratch.
type Train struct {
	Learning
	// Genotype is the genotype to train, a file or the name of a preset; empty for the one found by the run's own search. Default "" (this project).
	Genotype string `toml:"genotype"`
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
}
