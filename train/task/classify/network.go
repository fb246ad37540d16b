package classify

import (
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
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
