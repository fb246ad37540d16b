package config

// AutoLayers in dgs.layers chooses the layers anew at each search.
const AutoLayers = "auto"

// DGS is the search of surrogate gradients during a training.
type DGS struct {
	Layers     []string `toml:"layers" default:"[] (this project)" allowed:"a list of names or patterns" doc:"Layers whose surrogate is searched, by name or pattern, such as stem0, cell5.node0, cell5 or *; auto chooses anew at each search; empty for none"`
	AutoLayers int      `toml:"auto_layers" default:"1 (this project)" unit:"layers" allowed:"at least 1" doc:"Layers that auto chooses: those with the most neurons whose surrogate is nearly 0"`
	Watch      []string `toml:"watch" default:"[] (this project)" allowed:"a list of names or patterns" doc:"Layers whose gradient, support and firing rate are recorded each epoch, beside those searched; by name or pattern"`
	Candidates int      `toml:"candidates" default:"5 (paper 4.1.1)" unit:"candidates" allowed:"an odd number from 3 on" doc:"Candidates N of a layer, an odd number"`
	Delta      float64  `toml:"delta" default:"0.2 (paper 4.1.1)" allowed:"above 0" doc:"Distance of neighbouring candidates' temperatures"`
	Iterations int      `toml:"iterations" default:"100 (paper 4.1.1)" unit:"iterations" allowed:"at least 1" doc:"Iterations I_g of a search, one training batch each"`
	Every      int      `toml:"every" default:"5 (paper 4.1.1)" unit:"epochs" allowed:"at least 1" doc:"Epochs e_D from one search to the next"`
	First      int      `toml:"first" default:"0 (this project)" unit:"epochs" allowed:"at least 0" doc:"Epochs before the first search, 0 for dgs.every"`
	Epsilon    float64  `toml:"epsilon" default:"0.001 (paper 4.1.1)" allowed:"any number" doc:"Value that every alpha starts an iteration with"`
	AlphaLR    float64  `toml:"alpha_lr" default:"0.01 (released script)" allowed:"above 0" doc:"Adam learning rate of alpha"`
	Min        float64  `toml:"min" default:"1.0 (released script)" allowed:"above 0" doc:"Lowest temperature that is chosen"`
	Max        float64  `toml:"max" default:"6.0 (released script)" allowed:"above 0" doc:"Highest temperature that is chosen"`
	Estimate   string   `toml:"estimate" default:"auto (this project)" allowed:"auto, repeat or direct" doc:"Way to the candidates' weights: a pass through the network for each, or one for all and a pass through the layer for each, with equal results; auto takes the second where it applies"`
}
