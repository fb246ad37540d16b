package config

// Learning is what search and training have alike: how long weights learn, and how. Its
// keys are in both sections.
type Learning struct {
	// Epochs is the length. Unit: epochs. Default of a search 50 (paper 4.1.1), of a training 100 (paper 4.1.1).
	Epochs int `toml:"epochs"`
	// Batch is the batch size. Unit: images. Default of a search 50 (paper 4.1.1), of a training 50 (paper 4.1.1).
	Batch int `toml:"batch"`
	// Width is the width F of a node at level 0. Unit: channels. Default of a search 8 (released script), of a training 48 (released script).
	Width int `toml:"width"`
	// Mixing is where the operations of a node meet: their spikes, or the current into the membrane. Default of a search "spike" (paper 3.2.1), of a training "membrane" (paper 3.2.1).
	Mixing string `toml:"mixing"`
	// Optimizer is the optimiser of the weights: SGD with momentum, or Adam. A task may have a default of its own for the training. Default of a search "sgd" (paper 4.1.1), of a training "sgd" (paper 4.1.1).
	Optimizer string `toml:"optimizer"`
	// LR is the learning rate of the weights at the start. Default of a search 0.025 (paper 4.1.1), of a training 0.025 (paper 4.1.1).
	LR float64 `toml:"lr"`
	// LRMin is the learning rate of the weights at the end of its cosine. Default of a search 0.0 (this project), of a training 0.0 (released script).
	LRMin float64 `toml:"lr_min"`
	// Milestones are the epochs after which the learning rate is multiplied by Decay, in place of the cosine. A task may have a default of its own for the training. Unit: epochs. Default of a search [] (this project), of a training [] (this project).
	Milestones []int `toml:"milestones"`
	// Decay is the factor of the learning rate at each milestone. Default of a search 0.5 (this project), of a training 0.5 (this project).
	Decay float64 `toml:"decay"`
	// Momentum is the momentum of SGD. Default of a search 0.9 (paper 4.1.1), of a training 0.9 (paper 4.1.1).
	Momentum float64 `toml:"momentum"`
	// WeightDecay is the weight decay of the weights. Default of a search 0.0003 (released script), of a training 0.0003 (paper 4.1.1).
	WeightDecay float64 `toml:"weight_decay"`
	// Clip is the norm that gradients of the weights are clipped to, 0 for none. Default of a search 5.0 (released script), of a training 5.0 (released script).
	Clip float64 `toml:"clip"`
	// CheckpointMinutes is the time between checkpoints, 0 for the ends of epochs only. Unit: minutes. Default of a search 10.0 (this project), of a training 10.0 (this project).
	CheckpointMinutes float64 `toml:"checkpoint_minutes"`
}

// learning are the keys of Learning in a section. What differs are the default and its
// source: of two, the first is that of a search, the second, number 1, that of a training.
func learning(section string, number int) []Key {
	what := []string{"search", "training"}[number]
	meet := []string{"Where the candidate operations are mixed", "Where the operations of a node meet"}[number]
	weights := " of the weights"
	list := []Key{
		{"epochs", "Length of the " + what, "epochs", paper, []int{50, 100}[number], atLeast(1)},
		{"batch", "Batch size of the " + what, "images", paper, 50, atLeast(1)},
		{"width", "Width F of a node at level 0", "channels", released, []int{8, 48}[number], atLeast(1)},
		{"mixing", meet + ": their spikes, or the current into the membrane", "", "paper 3.2.1",
			[]string{"spike", "membrane"}[number], oneOf("spike", "membrane")},
		{"optimizer", "Optimiser" + weights + ": SGD with " + section + ".momentum, or Adam; a task may have a default of its own for the training", "", paper,
			"sgd", oneOf("sgd", "adam")},
		{"lr", "Learning rate" + weights + " at the start", "", paper, 0.025, positive},
		{"lr_min", "Learning rate" + weights + " at the end of its cosine", "", []string{ours, released}[number], 0, atLeast(0)},
		{"milestones", "Epochs after which the learning rate is multiplied by " + section + ".decay, in place of the cosine; a task may have a default of its own for the training", "epochs",
			ours, []int{}, ascending},
		{"decay", "Factor of the learning rate at each milestone", "", ours, 0.5, decay},
		{"momentum", "Momentum of SGD", "", paper, 0.9, fraction},
		{"weight_decay", "Weight decay" + weights, "", []string{released, paper}[number], 0.0003, atLeast(0)},
		{"clip", "Norm that gradients" + weights + " are clipped to, 0 for none", "", released, 5, atLeast(0)},
		{"checkpoint_minutes", "Time between checkpoints, 0 for the ends of epochs only", "minutes", ours, 10, atLeast(0)},
	}
	for i := range list {
		list[i].Name = section + "." + list[i].Name
	}
	return list
}
