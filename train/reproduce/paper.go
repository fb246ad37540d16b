package reproduce

import "github.com/spikedhs/spikedhs/search/genotype"

// The data sets whose numbers the paper reports.
const (
	cifar10  = "cifar10"
	cifar100 = "cifar100"
	imagenet = "imagenet"
)

// The presets of package genotype that rows name.
const (
	cellN3 = genotype.PresetClassificationN3
	cellN4 = "spikedhs-cla-n4"
)

// accuracies makes what the paper reports on CIFAR-10 and CIFAR-100 of two pairs of
// mean and deviation; a mean of 0 is none.
func accuracies(c10, d10, c100, d100 float64) map[string]Number {
	paper := map[string]Number{}
	if c10 > 0 {
		paper[cifar10] = Number{c10, d10}
	}
	if c100 > 0 {
		paper[cifar100] = Number{c100, d100}
	}
	return paper
}

// with adds what the paper reports on ImageNet.
func with(paper map[string]Number, image float64) map[string]Number {
	paper[imagenet] = Number{Mean: image}
	return paper
}
