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
	Learning
	// WarmupEpochs is the number of first epochs that train the weights alone. Unit: epochs. Default 15 (paper 4.1.1).
	WarmupEpochs int `toml:"warmup_epochs"`
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
	// Stem is the activation of the stem of the supernet. Default "relu" (paper 3.2.2).
	Stem string `toml:"stem"`
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
}
