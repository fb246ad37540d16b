package config

// Train is the training of a genotype from scratch.
type Train struct {
	Learning
	Genotype        string  `toml:"genotype" default:"(this project)" allowed:"one line of text" doc:"Genotype to train, a file or the name of a preset; empty for the one found by the run's own search"`
	AuxiliaryWeight float64 `toml:"auxiliary_weight" default:"0.4 (released script)" allowed:"at least 0" doc:"Weight of the auxiliary head's loss, 0 for no such head"`
	CropPadding     int     `toml:"crop_padding" default:"4 (released script)" unit:"pixels" allowed:"0 to 128" doc:"Border of zeros before a random crop back to the image's size, 0 for no crop"`
	CropMinArea     float64 `toml:"crop_min_area" default:"0.08 (Szegedy et al. 2015)" allowed:"0 to 1" doc:"Smallest share of a picture's area in a random resized crop of imagenet and image-folder, which takes the place of train.crop_padding there; 0 for the centre crop"`
	Flip            bool    `toml:"flip" default:"true (released script)" doc:"Mirror every other image at random"`
	Cutout          int     `toml:"cutout" default:"16 (released script)" unit:"pixels" allowed:"at least 0" doc:"Side of the square that is blanked at random, 0 for none"`
	EvalEvery       int     `toml:"eval_every" default:"1 (this project)" unit:"epochs" allowed:"at least 1" doc:"Time between evaluations"`
}
