package config

// Network is the shape of the network and its neurons, shared by search and training.
type Network struct {
	// Nodes is the number of nodes in a cell. Unit: nodes. Default 3 (paper 4.1.1, n3).
	Nodes int `toml:"nodes"`
	// Levels is the resolution of each cell: level l has 1/2^l of the side and 2^l times the width; a genotype with a path of its own replaces it. Default [0, 0, 1, 1, 1, 2, 2, 2] (released script).
	Levels []int `toml:"levels"`
	// Steps is the number of time steps T an image is shown for. Unit: time steps. Default 6 (paper 4.1.2).
	Steps int `toml:"steps"`
	// Tau is the share of the membrane that is left after one step; 0 gives the binary neuron. Default 0.2 (paper, equation 1).
	Tau float64 `toml:"tau"`
	// Threshold is the membrane above which a neuron fires. Default 0.5 (paper, equation 1).
	Threshold float64 `toml:"threshold"`
	// Temperature is the sharpness b of the surrogate gradient of nodes and stem. Default 3.0 (paper 4.1.1).
	Temperature float64 `toml:"temperature"`
	// Surrogate is the family of the surrogate gradients, for the backward pass only. Default "dspike" (paper 3.1).
	Surrogate string `toml:"surrogate"`
	// Activation is what the neurons are: spiking ones, or the rectifiers of the ANN of the same architecture, which runs one step. Default "lif" (paper 4.1.2).
	Activation string `toml:"activation"`
	// StemStrides is the stride of each layer of the stem, so their number too; each layer has half the width of the next. Default [1] (released script).
	StemStrides []int `toml:"stem_strides"`
	// Downsample is how the side halves: reduction cells with their own genotype, or one genotype behind a nearest resize. Default "reduction" (paper 3.2.2).
	Downsample string `toml:"downsample"`
	// Head is the way to the logits: a spiking neuron or the mean rate before the linear layer. Default "rate" (this project).
	Head string `toml:"head"`
	// BN is the batch normalisation: statistics over all steps folded into the batch, or of each step alone. Default "folded" (this project).
	BN string `toml:"bn"`
}
