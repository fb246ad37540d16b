package config

// Network is the shape of the network and its neurons, shared by search and training.
type Network struct {
	Nodes       int     `toml:"nodes" default:"3 (paper 4.1.1, n3)" unit:"nodes" allowed:"1 to 16" doc:"Nodes in a cell"`
	Levels      []int   `toml:"levels" default:"[0, 0, 1, 1, 1, 2, 2, 2] (released script)" allowed:"a list that starts at 0 or 1 and changes by at most 1 from cell to cell" doc:"Resolution of each cell: level l has 1/2^l of the side and 2^l times the width; a genotype with a path of its own replaces it"`
	Steps       int     `toml:"steps" default:"6 (paper 4.1.2)" unit:"time steps" allowed:"at least 1" doc:"Time steps T an image is shown for"`
	Tau         float64 `toml:"tau" default:"0.2 (paper, equation 1)" allowed:"0 to 1" doc:"Share of the membrane that is left after one step; 0 gives the binary neuron"`
	Threshold   float64 `toml:"threshold" default:"0.5 (paper, equation 1)" allowed:"above 0" doc:"Membrane above which a neuron fires"`
	Temperature float64 `toml:"temperature" default:"3.0 (paper 4.1.1)" allowed:"above 0" doc:"Sharpness b of the surrogate gradient of nodes and stem"`
	Surrogate   string  `toml:"surrogate" default:"dspike (paper 3.1)" allowed:"dspike, triangular, superspike, arctan, rectangular, exponential or go:NAME of a registered family" doc:"Family of the surrogate gradients, for the backward pass only"`
	Activation  string  `toml:"activation" default:"lif (paper 4.1.2)" allowed:"lif or relu" doc:"What the neurons are: spiking ones, or the rectifiers of the ANN of the same architecture, which runs one step"`
	StemStrides []int   `toml:"stem_strides" default:"[1] (released script)" allowed:"a list of 1 to 4 numbers from 1 to 3" doc:"Stride of each layer of the stem, so their number too; each layer has half the width of the next"`
	Downsample  string  `toml:"downsample" default:"reduction (paper 3.2.2)" allowed:"reduction or nearest" doc:"How the side halves: reduction cells with their own genotype, or one genotype behind a nearest resize"`
	Head        string  `toml:"head" default:"rate (this project)" allowed:"lif or rate" doc:"Way to the logits: a spiking neuron or the mean rate before the linear layer"`
	BN          string  `toml:"bn" default:"folded (this project)" allowed:"folded or per-step" doc:"Batch normalisation: statistics over all steps folded into the batch, or of each step alone"`
}
