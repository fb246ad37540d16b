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
	writeActivity(w, e.Activity)
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

// writeActivity tells how often the neurons fired and what the layers computed.
func writeActivity(w io.Writer, a *graph.Activity) {
	printf := func(format string, args ...any) { fmt.Fprintf(w, format, args...) }
	if a == nil {
		return
	}
	printf("\nsparsity and energy of one image, mean of %s images\n", task.Thousands(a.Images))
	width := len("layer")
	for _, l := range a.Layers {
		width = max(width, len(l.Name))
	}
	printf("%-*s  %-11s  %-6s  %2s  %8s  %13s  %14s  %13s  %10s\n", width, "layer", "output", "reads", "T", "rate s",
		"MACs dense A", "additions sTA", "MACs", "mJ")
	for _, l := range a.Layers {
		additions, macs := "", ""
		if l.Reads == graph.ReadsAnalog {
			macs = task.Thousands(l.MACs)
		} else {
			additions = task.Thousands(int64(l.Additions + 0.5))
		}
		printf("%-*s  %-11s  %-6s  %2d  %8.4f  %13s  %14s  %13s  %10.6f\n", width, l.Name, grid(l.Output), l.Reads, l.Steps, l.Rate,
			task.Thousands(l.Dense), additions, macs, l.Energy)
	}
	printf("%-*s  %-11s  %-6s  %2s  %8s  %13s  %14s  %13s  %10.6f\n\n", width, "sum", "", "", "", "",
		task.Thousands(a.Dense), task.Thousands(int64(a.Additions+0.5)), task.Thousands(a.MACs), a.Energy)
	for _, l := range a.Neurons {
		width = max(width, len(l.Name))
	}
	if len(a.Neurons) > 0 {
		printf("%-*s  %-11s  %8s\n", width, "neurons", "shape", "rate")
	}
	for _, l := range a.Neurons {
		printf("%-*s  %-11s  %8.4f\n", width, l.Name, grid(l.Shape), l.Rate)
	}
	if len(a.Neurons) > 0 {
		printf("%-*s  %-11s  %8.4f\n\n", width, "all", "", a.FiringRate)
	}
	printf("energy      %.6f mJ an image; the ANN of the same architecture %.6f mJ, %.2f times as much\n", a.Energy, a.ANNEnergy, a.Ratio)
	printf("            %g pJ an addition, %g pJ a multiply-accumulate (45 nm, 32 bits); biases, membranes and memory are not counted\n",
		graph.AdditionEnergy, graph.MACEnergy)
	if a.Binary {
		printf("binary      yes: all that convolutions read behind the first is 0 or 1 (%s images looked at value by value)\n", task.Thousands(a.Checked))
	} else {
		printf("binary      no: convolutions behind the first read analog values\n")
	}
}

// grid writes channels, height and width.
func grid(shape [3]int) string { return fmt.Sprintf("%dx%dx%d", shape[0], shape[1], shape[2]) }
