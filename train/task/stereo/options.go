package stereo

import (
	"cmp"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/train/config"
)

// TrainOptions are the options of the stereo network that a configuration
// trains on stacks of so many bins.
func TrainOptions(c *config.Config, channels int, p search.Precision) stereo.Options {
	o := options(c, channels, p)
	o.Width, o.Mixing, o.Stem = c.Train.Width, search.Mixing(c.Train.Mixing), search.StemSpike
	return o
}

// SearchOptions are the options of the stereo supernet that a configuration
// searches.
func SearchOptions(c *config.Config, channels int, p search.Precision) stereo.Options {
	o := options(c, channels, p)
	o.Width, o.Mixing, o.Deviation = c.Search.Width, search.Mixing(c.Search.Mixing), c.Search.AlphaInit
	o.TrellisLevels, o.Candidates = c.Search.TrellisLevels, c.Search.Candidates()
	o.Stem = search.StemReLU
	if c.Search.Stem == "dspike" {
		o.Stem = search.StemSpike
	}
	o.Steps = searchSteps(c)
	return o
}

// searchSteps is T of the supernet.
func searchSteps(c *config.Config) int { return cmp.Or(c.Search.Steps, c.Stereo.Steps) }

// options are those that search and training share.
func options(c *config.Config, channels int, p search.Precision) stereo.Options {
	return stereo.Options{
		Channels: channels, MaxDisparity: c.Stereo.MaxDisparity, Steps: c.Stereo.Steps, Precision: p,
		Neuron:      spike.LIF{Tau: c.Network.Tau, Threshold: c.Network.Threshold, Surrogate: spike.Surrogate(c.Network.Surrogate)},
		Temperature: c.Network.Temperature,
		Stems:       stereo.Stems(c.Stereo.Stems), Head: stereo.Head(c.Stereo.Head),
		SharedNorm: c.Stereo.BN == "folded", Recompute: c.Run.Recompute,
	}
}
