package config

import "github.com/spikedhs/spikedhs/search/genotype"

// Candidates are the operations of a valid configuration, the columns of alpha.
func (s *Search) Candidates() []genotype.Op {
	var list []genotype.Op
	for _, name := range s.Operations {
		if op, err := genotype.ParseOp(name); err == nil {
			list = append(list, op)
		}
	}
	return list
}

// Search is the architecture search.
type Search struct {
	// Epochs is the length of the search. Unit: epochs. Default 50 (paper 4.1.1).
	Epochs int `toml:"epochs"`
	// WarmupEpochs is the number of first epochs that train the weights alone. Unit: epochs. Default 15 (paper 4.1.1).
	WarmupEpochs int `toml:"warmup_epochs"`
	// Batch is the batch size of the search. Unit: images. Default 50 (paper 4.1.1).
	Batch int `toml:"batch"`
	// Width is the width F of a node at level 0 of the supernet. Unit: channels. Default 8 (released script).
	Width int `toml:"width"`
	// Steps is the number of time steps of the supernet, 0 for network.steps. Unit: time steps. Default 0 (this project).
	Steps int `toml:"steps"`
	// Images is the number of training images used, split in halves A (weights) and B (alpha), 0 for all. Unit: images. Default 0 (paper 4.1.1).
	Images int `toml:"images"`
	// LayerSearch searches a level for each cell along with the cells, in a trellis: as many cells as network.levels has, network.downsample = "nearest". A task of paths always does. Default false (this project).
	LayerSearch bool `toml:"layer_search"`
	// TrellisLevels is the number of levels of a search of layers, the finest first. Unit: levels. Default 4 (paper 3.2.2).
	TrellisLevels int `toml:"trellis_levels"`
	// Operations are the candidate operations of the search, by name; more may be registered. Default ["skip_connect", "snn_b3", "snn_b5"] (paper 3.2.1).
	Operations []string `toml:"operations"`
	// Mixing is where the candidate operations are mixed: their spikes, or the current into the membrane. Default "spike" (paper 3.2.1).
	Mixing string `toml:"mixing"`
	// Stem is the activation of the stem of the supernet. Default "relu" (paper 3.2.2).
	Stem string `toml:"stem"`
	// Optimizer is the optimiser of the weights: SGD with search.momentum, or Adam. Default "sgd" (paper 4.1.1).
	Optimizer string `toml:"optimizer"`
	// LR is the learning rate of the weights at the start of its cosine. Default 0.025 (paper 4.1.1).
	LR float64 `toml:"lr"`
	// LRMin is the learning rate of the weights at the end of its cosine. Default 0.0 (this project).
	LRMin float64 `toml:"lr_min"`
	// Momentum is the momentum of the SGD of the weights. Default 0.9 (paper 4.1.1).
	Momentum float64 `toml:"momentum"`
	// WeightDecay is the weight decay of the weights. Default 0.0003 (released script).
	WeightDecay float64 `toml:"weight_decay"`
	// Clip is the norm that gradients of the weights are clipped to, 0 for none. Default 5.0 (released script).
	Clip float64 `toml:"clip"`
	// AlphaLR is the Adam learning rate of the architecture. Default 0.001 (released script).
	AlphaLR float64 `toml:"alpha_lr"`
	// AlphaBeta1 is the first Adam beta of the architecture. Default 0.9 (released script).
	AlphaBeta1 float64 `toml:"alpha_beta1"`
	// AlphaBeta2 is the second Adam beta of the architecture. Default 0.999 (released script).
	AlphaBeta2 float64 `toml:"alpha_beta2"`
	// AlphaWeightDecay is the weight decay of the architecture. Default 0.001 (released script).
	AlphaWeightDecay float64 `toml:"alpha_weight_decay"`
	// AlphaInit is the standard deviation of the initial architecture parameters. Default 0.001 (released script).
	AlphaInit float64 `toml:"alpha_init"`
	// SkipLimit stops the search early when the share of skips in the decoded genotype exceeds it, 0 for never. Default 0.0 (this project).
	SkipLimit float64 `toml:"skip_limit"`
	// CheckpointMinutes is the time between checkpoints, 0 for the ends of epochs only. Unit: minutes. Default 10.0 (this project).
	CheckpointMinutes float64 `toml:"checkpoint_minutes"`
}
