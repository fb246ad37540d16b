package search

import (
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Activation is what follows the sum of a node, and every other current.
type Activation string

const (
	// ActivationLIF are leaky integrate-and-fire neurons; with Tau = 0 they are
	// the binary neurons of the paper's ablation. It is the default.
	ActivationLIF Activation = "lif"
	// ActivationReLU makes the ANN of the same architecture (section 4.1.2): one
	// step, no spikes, analog values in every convolution.
	ActivationReLU Activation = "relu"
)

// analog tells whether the network is an ANN.
func (o *Options) analog() bool { return o.Activation == ActivationReLU }

// newNeurons makes the neurons of a layer, or the rectifiers that stand for them
// in an ANN. These keep the temperature, so that both have the same variables.
func newNeurons(p torch.Path, o *Options, temperatures ...float64) *spike.Neurons {
	n := spike.NewNeurons(p, o.Neuron, temperatures...)
	n.Analog = o.analog()
	return n
}
