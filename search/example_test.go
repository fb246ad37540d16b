package search_test

import (
	"fmt"
	"log"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// options of a small network for 3 classes of gray images.
func options() search.Options {
	return search.Options{
		Channels: 1, Classes: 3, Width: 4, Levels: []int{0, 1}, Steps: 2,
		Neuron: spike.Default(), Temperature: spike.DefaultTemperature,
		Mixing: search.MixMembrane, Head: search.HeadLIF, Stem: search.StemSpike,
		AlphaDeviation: 1e-3,
	}
}

// One step of training of the published genotype.
func ExampleNetwork() {
	g, _ := genotype.Preset(genotype.PresetClassificationN3)
	net, err := search.NewNetwork(torch.CPU(), g, options())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer net.Close()
	parameters := net.Variables().Parameters()
	optimizer, _ := torch.NewSGD(torch.CPU(), parameters, torch.SGDOptions{Rate: 0.025, Momentum: 0.9})
	defer optimizer.Close()

	s := torch.NewScope()
	images := s.Randn(torch.CPU(), 4, 1, 8, 8)
	labels := torch.FromSlice(s, []int64{0, 1, 2, 0}, 4)
	out := net.Forward(search.Pass{Scope: s, Mode: torch.Train}, images)
	loss := s.CrossEntropy(out.Logits, labels)
	optimizer.Step(s, s.GradientOf(loss, torch.Tensors(parameters)))
	fmt.Println(s.Shape(out.Logits), s.Close())
	// Output: [4 3] <nil>
}

// A supernet holds weights and architecture apart; its alphas decode to a
// genotype at any time.
func ExampleSupernet() {
	net, err := search.NewSupernet(torch.CPU(), 3, genotype.DownsampleReduction, options())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer net.Close()
	for _, alpha := range net.Architecture().Parameters() {
		shape, _ := torch.Shape(alpha.Value)
		fmt.Println(alpha.Name, shape)
	}
	g, err := net.Decode("found")
	fmt.Println(g.Normal().Nodes, g.Reduction().Nodes, err)
	// Output:
	// alpha.normal [9 3]
	// alpha.reduction [9 3]
	// 3 3 <nil>
}

// The inference form takes images as they are in the data set; padding and
// normalisation are inside.
func ExampleNetwork_Program() {
	g, _ := genotype.Preset(genotype.PresetClassificationN3)
	net, err := search.NewNetwork(torch.CPU(), g, options())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer net.Close()
	program, err := net.Program(search.Input{
		Height: 6, Width: 6, Pad: 1, Mean: []float64{0.286}, Deviation: []float64{0.353},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer program.Close()
	s := torch.NewInference()
	defer s.Close()
	logits := program.Run(s, s.Full(torch.CPU(), 0.5, 2, 1, 6, 6))
	fmt.Println(s.Shape(logits), s.Err())
	// Output: [2 3] <nil>
}

// A program counts the spikes that its layers read: what a spiking network saves.
func ExampleNetwork_Program_measure() {
	g, err := genotype.Preset("spikedhs-cla-n3")
	if err != nil {
		log.Fatal(err)
	}
	net, err := search.NewNetwork(torch.CPU(), g, search.Options{
		Channels: 1, Classes: 10, Width: 2, Levels: []int{0, 1}, Steps: 4, Neuron: spike.Default(), Temperature: 3,
		Mixing: search.MixMembrane, Head: search.HeadLIF, Stem: search.StemSpike,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	program, err := net.Program(search.Input{Height: 8, Width: 8, Mean: []float64{0.5}, Deviation: []float64{0.25}})
	if err != nil {
		log.Fatal(err)
	}
	defer program.Close()
	s := torch.NewScope()
	defer s.Close()
	activity, err := program.Measure(s.Full(torch.CPU(), 0.3, 2, 1, 8, 8))
	if err != nil {
		log.Fatal(err)
	}
	stem := activity.Layers[0]
	fmt.Println(stem.Name, stem.Reads, stem.MACs, "MACs of", stem.Dense)
	for _, l := range activity.Layers[1:] {
		if l.Additions != l.Rate*float64(int64(l.Steps)*l.Dense) {
			fmt.Println(l.Name, "is off")
		}
	}
	fmt.Println("binary:", activity.Binary)
	// Output:
	// stem analog 3456 MACs of 3456
	// binary: true
}
