package reproduce

// Activity is what an evaluation says about sparsity and energy, as far as tables and
// figures need it. Operations and energy are for one image; energy is 0.9 pJ an
// addition and 4.6 pJ a multiply-accumulate (section 5 of the paper).
type Activity struct {
	// FiringRate is the share of all neurons that fire in a time step, 0..1.
	FiringRate float64 `json:"firing_rate"`
	// Dense are the multiply-accumulates of one pass as an ANN.
	Dense     float64 `json:"dense_macs"`
	Additions float64 `json:"additions"`
	MACs      float64 `json:"macs"`
	Energy    float64 `json:"energy_mj"`
	// ANNEnergy is that of the same layers in an ANN, which runs once.
	ANNEnergy float64 `json:"ann_energy_mj"`
	// Ratio is ANNEnergy over Energy.
	Ratio   float64          `json:"energy_ratio"`
	Neurons []NeuronActivity `json:"neurons,omitempty"`
}

// NeuronActivity is the firing rate of a layer of neurons, 0..1.
type NeuronActivity struct {
	Name string  `json:"name"`
	Rate float64 `json:"rate"`
}
