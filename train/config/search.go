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
	WarmupEpochs     int      `toml:"warmup_epochs" default:"15 (paper 4.1.1)" unit:"epochs" allowed:"at least 0" doc:"First epochs, which train the weights alone"`
	Steps            int      `toml:"steps" default:"0 (this project)" unit:"time steps" allowed:"at least 0" doc:"Time steps of the supernet, 0 for network.steps"`
	Images           int      `toml:"images" default:"0 (paper 4.1.1)" unit:"images" allowed:"at least 0" doc:"Training images used, split in halves A (weights) and B (alpha), 0 for all"`
	LayerSearch      bool     `toml:"layer_search" default:"false (this project)" doc:"Search a level for each cell along with the cells: as many cells as network.levels has; needs network.downsample = nearest; a task of paths always does"`
	TrellisLevels    int      `toml:"trellis_levels" default:"4 (paper 3.2.2)" unit:"levels" allowed:"1 to 4" doc:"Levels of a search of layers, the finest first"`
	Operations       []string `toml:"operations" default:"['skip_connect', 'snn_b3', 'snn_b5'] (paper 3.2.1)" allowed:"operations" doc:"Candidate operations of the search, by name; more may be registered"`
	Stem             string   `toml:"stem" default:"relu (paper 3.2.2)" allowed:"relu or dspike" doc:"Activation of the stem of the supernet"`
	AlphaLR          float64  `toml:"alpha_lr" default:"0.001 (released script)" allowed:"above 0" doc:"Adam learning rate of the architecture"`
	AlphaBeta1       float64  `toml:"alpha_beta1" default:"0.9 (released script)" allowed:"at least 0 and below 1" doc:"First Adam beta of the architecture"`
	AlphaBeta2       float64  `toml:"alpha_beta2" default:"0.999 (released script)" allowed:"at least 0 and below 1" doc:"Second Adam beta of the architecture"`
	AlphaWeightDecay float64  `toml:"alpha_weight_decay" default:"0.001 (released script)" allowed:"at least 0" doc:"Weight decay of the architecture"`
	AlphaInit        float64  `toml:"alpha_init" default:"0.001 (released script)" allowed:"at least 0" doc:"Standard deviation of the initial architecture parameters"`
	SkipLimit        float64  `toml:"skip_limit" default:"0.0 (this project)" allowed:"0 to 1" doc:"Share of skips in the decoded genotype above which the search stops early, 0 for never"`
}
