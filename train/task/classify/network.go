package classify

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// Network is the network of a genotype with its loss.
type Network struct {
	*search.Network
	classes
	config  *config.Config
	problem *problem // nil where there are no data
}

// NewNetwork builds a network with fresh weights; c has the weight of the auxiliary
// head's loss.
func NewNetwork(d torch.Device, g genotype.Genotype, c *config.Config, o search.Options) (*Network, error) {
	n, err := search.NewNetwork(d, g, o)
	if err != nil {
		return nil, err
	}
	return &Network{Network: n, config: c}, nil
}

// Folded is the network in its inference form, for images of its data in 0..1.
func (n *Network) Folded() (*graph.Program, error) { return n.Program(n.problem.sets.input()) }

// Loss is the cross entropy of the main classifier and, in total, of the auxiliary one;
// the output is the logits [N, classes].
func (n *Network) Loss(p search.Pass, x task.Tensors) (total, loss, output torch.Tensor) {
	s := p.Scope
	out := n.Network.Forward(p, x.Inputs[0])
	loss = s.CrossEntropy(out.Logits, x.Target)
	total = loss
	if n.Options.Auxiliary {
		total = s.Add(loss, s.Scale(s.CrossEntropy(out.Auxiliary, x.Target), n.config.Train.AuxiliaryWeight))
	}
	return total, loss, out.Logits
}

// classes tells what of the logits is right.
type classes struct{}

// Right counts the images whose first guess is their class.
func (classes) Right(s *torch.Scope, logits torch.Tensor, x task.Tensors) (torch.Tensor, float64) {
	return s.Sum(s.Tensor("aten::eq.Tensor", s.Tensor("aten::argmax", logits, 1), x.Target)), 1
}

// Identity names what the weights depend on.
func (n *Network) Identity() string { return fingerprint(n.Genotype, n.Options) }

// Precision is the type of the convolutions.
func (n *Network) Precision() search.Precision { return n.Options.Precision }

// Size is the number of images of a part.
func (n *Network) Size(part task.Part) (int, string, error) {
	return n.problem.sets.of(part).Len(), "images", nil
}

// fingerprint names a trained network by what its weights depend on.
func fingerprint(g genotype.Genotype, o search.Options) string {
	name := fmt.Sprintf("genotype %s, F=%d, levels %v, %s head, %d channels, %d classes, auxiliary head %t",
		g.Hash(), o.Width, o.Levels, o.Head, o.Channels, o.Classes, o.Auxiliary)
	// Said only where it is not the usual, so that older checkpoints keep their names.
	if len(o.StemStrides) > 0 && !slices.Equal(o.StemStrides, []int{1}) {
		name += fmt.Sprintf(", stem strides %v", o.StemStrides)
	}
	if o.Activation == search.ActivationReLU {
		name += ", ANN"
	}
	return name
}

// Graph is the network over images of the data set's published shape. What only files know
// is taken from the configuration: the side of pictures and recordings, one class.
func (Task) Graph(c *config.Config, g genotype.Genotype, folded bool) (graph.Table, error) {
	channels, height, width, classes, err := data.Shape(c.Data.Name)
	if err != nil {
		return graph.Table{}, err
	}
	if side := data.Side(c.Data.Name, c.Data.Size, c.Data.Sensor); c.Data.Size > 0 || height == 0 {
		height, width = side, side
	}
	o := TrainOptions(c, max(channels, 1), max(classes, 1), search.Float32)
	n, err := search.NewNetwork(torch.CPU(), g, o)
	if err != nil {
		return graph.Table{}, err
	}
	defer n.Close()
	one := make([]float64, o.Channels)
	for i := range one {
		one[i] = 1
	}
	return n.Table(search.Input{Height: height, Width: width, Pad: c.Data.Pad, Mean: one, Deviation: one}, folded)
}

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
