package spike

import "github.com/spikedhs/spikedhs/torch"

// Neurons is a layer of LIF neurons inside a network. Its surrogate
// temperatures are a buffer, so that they are saved with the network.
type Neurons struct {
	LIF
	// Temperature is b of the surrogate: shape [1], or one for each channel.
	Temperature torch.Tensor
	// Analog makes rectifiers of the neurons, y = max(I, 0) at every step, without
	// membrane and spikes: the activation of the ANN that a network is compared with.
	Analog bool
	// Name is the layer's path in the network.
	Name string
}

// NewNeurons makes a layer with one temperature, or with one for each channel.
func NewNeurons(p torch.Path, lif LIF, temperatures ...float64) *Neurons {
	return &Neurons{
		LIF:         lif,
		Temperature: p.Buffer("temperature", torch.Values(temperatures...), int64(len(temperatures))),
		Name:        p.Name(),
	}
}

// Forward fires over all steps, see [LIF.Fire], or rectifies.
func (n *Neurons) Forward(s *torch.Scope, current torch.Tensor, steps int) torch.Tensor {
	defer s.Blame(n.Name, s.Err())
	if n.Analog {
		return s.ReLU(current)
	}
	return n.Fire(s, current, n.Temperature, steps)
}
