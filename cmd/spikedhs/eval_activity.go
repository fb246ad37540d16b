package main

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/graph"
)

// printActivity prints how often the neurons fired and what the layers computed.
func printActivity(o *console, a *graph.Activity) {
	if a == nil {
		return
	}
	o.printf("\nsparsity and energy of one image, mean of %s images\n", thousands(a.Images))
	width := len("layer")
	for _, l := range a.Layers {
		width = max(width, len(l.Name))
	}
	o.printf("%-*s  %-11s  %-6s  %2s  %8s  %13s  %14s  %13s  %10s\n", width, "layer", "output", "reads", "T", "rate s",
		"MACs dense A", "additions sTA", "MACs", "mJ")
	for _, l := range a.Layers {
		additions, macs := "", ""
		if l.Reads == graph.ReadsAnalog {
			macs = thousands(l.MACs)
		} else {
			additions = thousands(int64(l.Additions + 0.5))
		}
		o.printf("%-*s  %-11s  %-6s  %2d  %8.4f  %13s  %14s  %13s  %10.6f\n", width, l.Name, grid(l.Output), l.Reads, l.Steps, l.Rate,
			thousands(l.Dense), additions, macs, l.Energy)
	}
	o.printf("%-*s  %-11s  %-6s  %2s  %8s  %13s  %14s  %13s  %10.6f\n\n", width, "sum", "", "", "", "",
		thousands(a.Dense), thousands(int64(a.Additions+0.5)), thousands(a.MACs), a.Energy)
	for _, l := range a.Neurons {
		width = max(width, len(l.Name))
	}
	if len(a.Neurons) > 0 {
		o.printf("%-*s  %-11s  %8s\n", width, "neurons", "shape", "rate")
	}
	for _, l := range a.Neurons {
		o.printf("%-*s  %-11s  %8.4f\n", width, l.Name, grid(l.Shape), l.Rate)
	}
	if len(a.Neurons) > 0 {
		o.printf("%-*s  %-11s  %8.4f\n\n", width, "all", "", a.FiringRate)
	}
	o.printf("energy      %.6f mJ an image; the ANN of the same architecture %.6f mJ, %.2f times as much\n", a.Energy, a.ANNEnergy, a.Ratio)
	o.printf("            %g pJ an addition, %g pJ a multiply-accumulate (45 nm, 32 bits); biases, membranes and memory are not counted\n",
		graph.AdditionEnergy, graph.MACEnergy)
	if a.Binary {
		o.printf("binary      yes: all that convolutions read behind the first is 0 or 1 (%s images looked at value by value)\n", thousands(a.Checked))
	} else {
		o.printf("binary      no: convolutions behind the first read analog values\n")
	}
}

// grid writes channels, height and width.
func grid(shape [3]int) string { return fmt.Sprintf("%dx%dx%d", shape[0], shape[1], shape[2]) }
