package config

// Learning is what search and training have alike: how long weights learn, and how. Its
// keys are in both sections; where the defaults differ, they stand under the section's name.
type Learning struct {
	Epochs            int     `toml:"epochs" search:"50 (paper 4.1.1)" train:"100 (paper 4.1.1)" unit:"epochs" allowed:"at least 1" doc:"Length"`
	Batch             int     `toml:"batch" default:"50 (paper 4.1.1)" unit:"images" allowed:"at least 1" doc:"Batch size"`
	Width             int     `toml:"width" search:"8 (released script)" train:"48 (released script)" unit:"channels" allowed:"at least 1" doc:"Width F of a node at level 0"`
	Mixing            string  `toml:"mixing" search:"spike (paper 3.2.1)" train:"membrane (paper 3.2.1)" allowed:"spike or membrane" doc:"Where the operations of a node meet: their spikes, or the current into the membrane"`
	Optimizer         string  `toml:"optimizer" default:"sgd (paper 4.1.1)" allowed:"sgd or adam" doc:"Optimiser of the weights: SGD with momentum, or Adam; a task may have a default of its own for the training"`
	LR                float64 `toml:"lr" default:"0.025 (paper 4.1.1)" allowed:"above 0" doc:"Learning rate of the weights at the start"`
	LRMin             float64 `toml:"lr_min" search:"0.0 (this project)" train:"0.0 (released script)" allowed:"at least 0" doc:"Learning rate of the weights at the end of its cosine"`
	Milestones        []int   `toml:"milestones" default:"[] (this project)" unit:"epochs" allowed:"a list of numbers above 0, each larger than the one before" doc:"Epochs after which the learning rate is multiplied by decay, in place of the cosine; a task may have a default of its own for the training"`
	Decay             float64 `toml:"decay" default:"0.5 (this project)" allowed:"above 0 and up to 1" doc:"Factor of the learning rate at each milestone"`
	Momentum          float64 `toml:"momentum" default:"0.9 (paper 4.1.1)" allowed:"at least 0 and below 1" doc:"Momentum of SGD"`
	WeightDecay       float64 `toml:"weight_decay" search:"0.0003 (released script)" train:"0.0003 (paper 4.1.1)" allowed:"at least 0" doc:"Weight decay of the weights"`
	Clip              float64 `toml:"clip" default:"5.0 (released script)" allowed:"at least 0" doc:"Norm that gradients of the weights are clipped to, 0 for none"`
	CheckpointMinutes float64 `toml:"checkpoint_minutes" default:"10.0 (this project)" unit:"minutes" allowed:"at least 0" doc:"Time between checkpoints, 0 for the ends of epochs only"`
}
