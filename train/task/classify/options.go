package classify

import (
	"cmp"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/train/config"
)

// TrainOptions are the options of the network that a configuration trains on
// images of so many channels and classes.
func TrainOptions(c *config.Config, channels, classes int, p search.Precision) search.Options {
	o := networkOptions(c, channels, classes, p)
	o.Width, o.Mixing, o.Stem = c.Train.Width, search.Mixing(c.Train.Mixing), search.StemSpike
	o.Auxiliary = c.Train.AuxiliaryWeight > 0
	return o
}

// SearchOptions are the options of the supernet that a configuration searches.
func SearchOptions(c *config.Config, channels, classes int, p search.Precision) search.Options {
	o := networkOptions(c, channels, classes, p)
	o.Width, o.Mixing, o.Stem, o.AlphaDeviation = c.Search.Width, search.Mixing(c.Search.Mixing), search.Stem(c.Search.Stem), c.Search.AlphaInit
	o.Steps, o.TrellisLevels, o.Candidates = searchSteps(c), c.Search.TrellisLevels, c.Search.Candidates()
	return o
}

// searchSteps is T of the supernet.
func searchSteps(c *config.Config) int { return cmp.Or(c.Search.Steps, c.Network.Steps) }

// networkOptions are the options that search and training share.
func networkOptions(c *config.Config, channels, classes int, p search.Precision) search.Options {
	return search.Options{
		Precision: p,
		Channels:  channels, Classes: classes, Levels: c.Network.Levels, Steps: c.Network.Steps,
		Neuron:      spike.LIF{Tau: c.Network.Tau, Threshold: c.Network.Threshold, Surrogate: spike.Surrogate(c.Network.Surrogate)},
		Temperature: c.Network.Temperature, Head: search.Head(c.Network.Head),
		Activation: search.Activation(c.Network.Activation), StemStrides: c.Network.StemStrides,
		PerStepNorm: c.Network.BN == "per-step",
		Recompute:   c.Run.Recompute,
		Temporal:    data.IsEvents(c.Data.Name),
	}
}
