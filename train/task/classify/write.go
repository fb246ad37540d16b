package classify

import (
	"fmt"
	"io"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/train/task"
)

// Write tells the accuracy, also of each class, and what the neurons did.
func (e Evaluation) Write(w io.Writer) {
	printf := func(format string, args ...any) { fmt.Fprintf(w, format, args...) }
	printf("top-1       %6.2f %%\n", e.Top1)
	printf("top-5       %6.2f %%\n", e.Top5)
	printf("loss        %8.4f nats\n", e.Loss)
	printf("images      %s\n", task.Thousands(e.Images))
	printf("parameters  %s\n\n", task.Thousands(e.Parameters))
	width := len("class")
	for _, name := range e.Classes {
		width = max(width, len(name))
	}
	printf("%-*s  images  right\n", width, "class")
	for label, row := range e.Confusion {
		images := 0
		for _, n := range row {
			images += n
		}
		if images > 0 {
			printf("%-*s  %6d  %6.2f %%\n", width, e.Classes[label], images, 100*float64(row[label])/float64(images))
		}
	}
	task.WriteActivity(w, e.Activity, "image")
}

// evaluated is what --json prints: the evaluation, and beside its detail the layers
// and the energy of an image.
type evaluated struct {
	Evaluation
	Layers    []evaluatedLayer `json:"layers,omitempty"`
	Energy    float64          `json:"energy_mj,omitempty"`
	ANNEnergy float64          `json:"ann_energy_mj,omitempty"` // of the ANN of the same architecture
	Ratio     float64          `json:"energy_ratio,omitempty"`  // the ANN's over the network's own
}

// evaluatedLayer is a layer with the firing rate of its input.
type evaluatedLayer struct {
	graph.LayerActivity
	FiringRate float64 `json:"firing_rate"`
}

// Detail is the evaluation with the layers.
func (e Evaluation) Detail() any {
	v := evaluated{Evaluation: e}
	if a := e.Activity; a != nil {
		v.Energy, v.ANNEnergy, v.Ratio = a.Energy, a.ANNEnergy, a.Ratio
		for _, l := range a.Layers {
			v.Layers = append(v.Layers, evaluatedLayer{l, l.Rate})
		}
	}
	return v
}
