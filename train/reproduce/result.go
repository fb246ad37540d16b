package reproduce

import (
	"slices"

	"github.com/spikedhs/spikedhs/train/run"
)

// Result is what an experiment has reached so far.
type Result struct {
	Experiment string   `json:"experiment"`
	Title      string   `json:"title"`
	About      string   `json:"about"`
	Scale      string   `json:"scale"`
	Data       string   `json:"data"`
	Seeds      []int64  `json:"seeds"`
	Settings   []string `json:"settings"` // of all rows, the user's last
	// Command is the command line that was called last.
	Command []string `json:"command,omitempty"`
	Machine Machine  `json:"machine"`
	// Search is the run that found the searched cell, where there is one.
	Search *SearchOutcome `json:"search,omitempty"`
	Rows   []RowResult    `json:"rows"`
}

// Machine is what the first run computed with.
type Machine struct {
	Device    string `json:"device"`
	Threads   int    `json:"threads"`
	Precision string `json:"precision"`
	Libtorch  string `json:"libtorch"`
	Version   string `json:"version"`
	Git       string `json:"git,omitempty"`
}

// RowResult is what a row has reached.
type RowResult struct {
	Name     string   `json:"row"`
	Label    string   `json:"label"`
	About    string   `json:"about"`
	Settings []string `json:"settings"`
	// Genotype is the hash of the architecture.
	Genotype string `json:"genotype,omitempty"`
	// Top1 summarizes the accuracy on the test images in percent over the ended runs.
	Top1 Summary `json:"top1"`
	// Runs are the runs that have begun, in the order of their seeds.
	Runs []Outcome `json:"runs"`
	// Paper is what the paper reports, by data set.
	Paper map[string]Number `json:"paper,omitempty"`
}

// Outcome is what one training has reached.
type Outcome struct {
	Seed int64  `json:"seed"`
	Dir  string `json:"dir"`
	// Ended tells whether the run has come to its end; what follows is then final.
	Ended bool `json:"ended"`
	// Top1 is the score of the task in percent, of classification top-1.
	Top1       float64 `json:"top1"`
	Top5       float64 `json:"top5"`
	Loss       float64 `json:"loss"`
	Parameters int64   `json:"parameters"`
	// Metrics are the other numbers of the evaluation, by the names that the task has for
	// them.
	Metrics map[string]any `json:"metrics,omitempty"`
	// Steps are steps of the weights; SearchPasses the passes through the network that
	// DGS spent beside them.
	Steps        int64 `json:"steps"`
	SearchPasses int64 `json:"dgs_passes"`
	// LayerPasses are the passes through single layers, which cost little beside.
	LayerPasses int64 `json:"dgs_layer_passes"`
	// Seconds is the time of training and evaluations.
	Seconds float64 `json:"seconds"`
	// Activity is sparsity and energy of the trained network on the test images.
	Activity *Activity `json:"activity,omitempty"`

	timeSteps int // T
	epochs    []epoch
	phases    []phase
	info      run.Info
	hash      string
}

// SearchOutcome is what the search of a cell took and found.
type SearchOutcome struct {
	Dir      string   `json:"dir"`
	Ended    bool     `json:"ended"`
	Genotype string   `json:"genotype,omitempty"`
	Cells    []string `json:"cells,omitempty"` // equations
	Seconds  float64  `json:"seconds"`
}

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

// row returns the result of a row, nil where it was not asked for.
func (r *Result) row(name string) *RowResult {
	if i := slices.IndexFunc(r.Rows, func(one RowResult) bool { return one.Name == name }); i >= 0 {
		return &r.Rows[i]
	}
	return nil
}

// ended are the runs of the row that have come to their end.
func (r *RowResult) ended() []Outcome {
	if r == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Runs), func(o Outcome) bool { return !o.Ended })
}

// mean is the mean of a number over the ended runs.
func (r *RowResult) summary(of func(Outcome) (float64, bool)) Summary {
	var values []float64
	for _, one := range r.ended() {
		if x, ok := of(one); ok {
			values = append(values, x)
		}
	}
	return Summarize(values)
}
