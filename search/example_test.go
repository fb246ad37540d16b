package search_test

import (
	"fmt"

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
	fmt.Println(g.Normal.Nodes, g.Reduction.Nodes, err)
	// Output:
	// alpha.normal [9 3]
	// alpha.reduction [9 3]
	// 3 3 <nil>
}

// The inference form takes images as they are in the data set; padding and
// normalisation are inside.
func ExampleProgram() {
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
