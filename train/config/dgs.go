package config

// AutoLayers in dgs.layers chooses the layers anew at each search.
const AutoLayers = "auto"

// DGS is the search of surrogate gradients during a training.
type DGS struct {
	// Layers are the layers whose surrogate is searched, by name or pattern, such as stem0, cell5.node0, cell5 or *; auto chooses anew at each search; empty for none. Default [] (this project).
	Layers []string `toml:"layers"`
	// AutoLayers is the number of layers that auto chooses: those with the most neurons whose surrogate is nearly 0. Unit: layers. Default 1 (this project).
	AutoLayers int `toml:"auto_layers"`
	// Watch are layers whose gradient, support and firing rate are recorded each epoch, beside those searched; by name or pattern. Default [] (this project).
	Watch []string `toml:"watch"`
	// Candidates is the number N of candidates of a layer, an odd number. Unit: candidates. Default 5 (paper 4.1.1).
	Candidates int `toml:"candidates"`
	// Delta is the distance of neighbouring candidates' temperatures. Default 0.2 (paper 4.1.1).
	Delta float64 `toml:"delta"`
	// Iterations is the length I_g of a search, one training batch each. Unit: iterations. Default 100 (paper 4.1.1).
	Iterations int `toml:"iterations"`
	// Every is the time e_D from one search to the next. Unit: epochs. Default 5 (paper 4.1.1).
	Every int `toml:"every"`
	// First is the time before the first search, 0 for dgs.every. Unit: epochs. Default 0 (this project).
	First int `toml:"first"`
	// Epsilon is the value that every alpha starts an iteration with. Default 0.001 (paper 4.1.1).
	Epsilon float64 `toml:"epsilon"`
	// AlphaLR is the Adam learning rate of alpha. Default 0.01 (released script).
	AlphaLR float64 `toml:"alpha_lr"`
	// Min is the lowest temperature that is chosen. Default 1.0 (released script).
	Min float64 `toml:"min"`
	// Max is the highest temperature that is chosen. Default 6.0 (released script).
	Max float64 `toml:"max"`
	// Estimate is the way to the candidates' weights: a pass through the network for each, or one for all and a pass through the layer for each, with equal results; auto takes the second where it applies. Default "auto" (this project).
	Estimate string `toml:"estimate"`
}
