package task

import (
	"fmt"
	"io"
	"strings"

	"github.com/spikedhs/spikedhs/search/graph"
)

// WriteActivity tells how often the neurons fired and what the layers computed for an
// example, such as an image; nothing where a is nil.
func WriteActivity(w io.Writer, a *graph.Activity, example string) {
	printf := func(format string, args ...any) { fmt.Fprintf(w, format, args...) }
	if a == nil {
		return
	}
	printf("\nsparsity and energy of one %s, mean of %s %[1]ss\n", example, Thousands(a.Images))
	width := len("layer")
	for _, l := range a.Layers {
		width = max(width, len(l.Name))
	}
	printf("%-*s  %-11s  %-6s  %2s  %8s  %13s  %14s  %13s  %10s\n", width, "layer", "output", "reads", "T", "rate s",
		"MACs dense A", "additions sTA", "MACs", "mJ")
	for _, l := range a.Layers {
		additions, macs := "", ""
		if l.Reads == graph.ReadsAnalog {
			macs = Thousands(l.MACs)
		} else {
			additions = Thousands(int64(l.Additions + 0.5))
		}
		printf("%-*s  %-11s  %-6s  %2d  %8.4f  %13s  %14s  %13s  %10.6f\n", width, l.Name, grid(l.Output), l.Reads, l.Steps, l.Rate,
			Thousands(l.Dense), additions, macs, l.Energy)
	}
	printf("%-*s  %-11s  %-6s  %2s  %8s  %13s  %14s  %13s  %10.6f\n\n", width, "sum", "", "", "", "",
		Thousands(a.Dense), Thousands(int64(a.Additions+0.5)), Thousands(a.MACs), a.Energy)
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
	printf("energy      %.6f mJ %s; the ANN of the same architecture %.6f mJ, %.2f times as much\n", a.Energy, oneOf(example), a.ANNEnergy, a.Ratio)
	printf("            %g pJ an addition, %g pJ a multiply-accumulate (45 nm, 32 bits); biases, membranes and memory are not counted\n",
		graph.AdditionEnergy, graph.MACEnergy)
	if a.Binary {
		printf("binary      yes: all that convolutions read behind the first is 0 or 1 (%s %ss looked at value by value)\n", Thousands(a.Checked), example)
	} else {
		printf("binary      no: convolutions behind the first read analog values\n")
	}
}

// grid writes channels, height and width.
func grid(shape [3]int) string { return fmt.Sprintf("%dx%dx%d", shape[0], shape[1], shape[2]) }

// oneOf is a noun with its article, as in "an image".
func oneOf(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// Thousands writes a number with commas between groups of three digits.
func Thousands[N int | int64](n N) string { return Grouped(n, ",") }

// Grouped writes a number with a separator between groups of three digits.
func Grouped[N int | int64](n N, separator string) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + separator + text[i:]
	}
	return text
}

// Plural writes a count with its noun.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
