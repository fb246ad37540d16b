package classify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/export/onnx"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// modelFormat is the version of the exported models that this program writes where
// their input has time, and the last one that it reads; other models are plainFormat.
const (
	plainFormat = 1
	modelFormat = 2
)

// ModelInfo describes an exported model; it is stored in the archive.
type ModelInfo struct {
	Format int `json:"format"`
	// Kind is empty for a classification network; package stream has others.
	Kind    string   `json:"kind,omitempty"`
	Version string   `json:"version"`
	Dataset string   `json:"dataset"`
	Classes []string `json:"classes"`
	// Steps is T.
	Steps int `json:"steps"`
	// Channels, Height and Width are those of the images that the model takes,
	// float32 in 0..1; padding and normalisation are inside.
	Channels int `json:"channels"`
	Height   int `json:"height"`
	Width    int `json:"width"`
	// Events, where given, says that the model takes stacks [N, T, C, H, W] of
	// recordings of events, and how these are made. Channels are those of a step.
	Events   *EventInput       `json:"events,omitempty"`
	Genotype genotype.Genotype `json:"genotype"`
	// Top1 is the accuracy on the test images in percent, absent if unknown.
	Top1       *float64 `json:"top1,omitempty"`
	Parameters int64    `json:"parameters"`
}

// Export writes the folded network; see [task.Network].
func (n *Network) Export(path, version string, top1 *float64) error {
	sets := n.problem.sets
	p, err := n.Folded()
	if err != nil {
		return err
	}
	defer p.Close()
	info := ModelInfo{
		Format: plainFormat, Version: version, Dataset: n.config.Data.Name, Classes: sets.train.Classes(),
		Steps: n.Options.Steps, Channels: sets.channels, Height: sets.height, Width: sets.width,
		Genotype: n.Genotype, Top1: top1,
	}
	if sets.validation != nil {
		info.Top1 = nil // it is that of the validation
	}
	if info.Events = eventInput(sets.train); info.Events != nil {
		info.Format = modelFormat
	}
	if info.Parameters, err = n.Parameters(); err != nil {
		return err
	}
	instructions, err := p.Description()
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	if task.IsONNX(path) {
		return task.SaveONNX(path, info, nil, func(files map[string]string) (*onnx.Model, error) { return onnx.Network(p, files) })
	}
	return task.SaveScript(path, info, map[string]string{graph.ProgramFile: instructions}, func(files map[string]string) *torch.Script {
		return export.TorchScript(p, files)
	})
}

// Takes says what the archive takes and gives.
func (n *Network) Takes() string {
	if n.Options.Temporal {
		return fmt.Sprintf("takes float32 stacks [N, T=%d, C, H, W] of events, gives logits", n.Options.Steps)
	}
	return "takes float32 images in 0..1, gives logits"
}

// Agreement is how well an exported model and the network it came from agree.
type Agreement struct {
	// Images is the number of test images compared.
	Images int `json:"images"`
	// MaxDifference is the largest absolute difference of two logits.
	MaxDifference float64 `json:"max_difference"`
	// SameClass is the number of images with the same first guess.
	SameClass int `json:"same_class"`
}

// ErrDisagree is wrapped by the error of an export that does not agree.
var ErrDisagree = errors.New("the exported model and the network disagree")

// sameClasses is the share of images whose class must be the same in an ONNX model: another
// program adds in another order, and a membrane next to the threshold may fire in one alone.
const sameClasses = 0.999

// agreementTolerance is the largest difference of logits that is accepted.
const agreementTolerance = 1e-4

// String is the agreement in a few words.
func (a Agreement) String() string {
	return fmt.Sprintf("%d test images: same class for %d, largest difference of a logit %.2g", a.Images, a.SameClass, a.MaxDifference)
}

// Check compares on the first images of the test set; see [task.Network].
func (n *Network) Check(ctx context.Context, path string, count int) (task.Agreement, error) {
	sets, d := n.problem.sets, n.Variables().Device()
	defer torch.Pin()()
	var a Agreement
	forward, exported, err := openForward(path, d)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrModel, err)
	}
	defer exported.Close()
	p, err := n.Folded()
	if err != nil {
		return a, err
	}
	defer p.Close()
	set := sets.test
	if count < set.Len() {
		first := make([]int, count)
		for i := range first {
			first[i] = i
		}
		if set, err = data.Subset(set, first); err != nil {
			return a, err
		}
	}
	loader, err := sets.plainLoader(n.config, set)
	if err != nil {
		return a, err
	}
	err = task.Each(ctx, loader, d, 0, 0, func(s *torch.Scope, b *data.Batch, x task.Tensors) (bool, error) {
		want, err := torch.ToSlice[float32](p.Run(s, x.Inputs[0]))
		if err != nil {
			return false, err
		}
		have, err := torch.ToSlice[float32](forward(s, x.Inputs[0]))
		if err == nil {
			a.compare(want, have, b.N)
		}
		return true, err
	})
	if err != nil {
		return a, fmt.Errorf("train: check export: %w", err)
	}
	if task.IsONNX(path) {
		if math.IsNaN(a.MaxDifference) || float64(a.SameClass) < sameClasses*float64(a.Images) {
			return a, fmt.Errorf("%w: %d of %d images have the same class, logits differ by up to %.2g",
				ErrDisagree, a.SameClass, a.Images, a.MaxDifference)
		}
		return a, nil
	}
	if !(a.MaxDifference <= agreementTolerance) || a.SameClass != a.Images {
		return a, fmt.Errorf("%w: logits differ by up to %.2g (allowed %.0e), %d of %d images have the same class",
			ErrDisagree, a.MaxDifference, agreementTolerance, a.SameClass, a.Images)
	}
	return a, nil
}

func (a *Agreement) compare(want, have []float32, n int) {
	for i := range want {
		d := math.Abs(float64(want[i]) - float64(have[i]))
		a.MaxDifference = max(a.MaxDifference, d) // NaN once there is one
	}
	width := len(want) / n
	for i := range n {
		if argmax(want[i*width:(i+1)*width]) == argmax(have[i*width:(i+1)*width]) {
			a.SameClass++
		}
	}
	a.Images += n
}

func argmax(v []float32) int { return slices.Index(v, slices.Max(v)) }
