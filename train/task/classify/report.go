package classify

import (
	"fmt"
	"io"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// Facts are the other numbers of an evaluation.
func (e Evaluation) Facts() []task.Fact {
	return []task.Fact{
		{Name: "test top-5", Value: e.Top5, Format: task.Percent}, {Name: "test loss", Value: e.Loss, Format: task.Fixed},
		{Name: "test images", Value: float64(e.Images), Format: task.Count},
	}
}

// Report is what a report shows of runs of classification.
func (Task) Report(c *config.Config) task.Report {
	watched := task.Line{Name: "best top-1", Key: "test_top1"}
	if c.Data.ValidationImages > 0 {
		watched = task.Line{Name: "best validation", Key: "validation_top1"}
	}
	return task.Report{
		Examples: "images",
		Counted:  "image",
		About: func(c *config.Config, search bool) []string {
			epochs, steps, width, what := c.Train.Epochs, c.Network.Steps, c.Train.Width, "training"
			if search {
				epochs, steps, width, what = c.Search.Epochs, searchSteps(c), c.Search.Width, "search"
			}
			return []string{
				c.Data.Name, fmt.Sprintf("%s of %s", what, task.Plural(epochs, "epoch")), task.Plural(c.Network.Nodes, "node") + " in a cell",
				fmt.Sprintf("width %d", width), task.Plural(steps, "time step"),
			}
		},
		Result: "test top-1 accuracy",
		Results: []task.Record{
			{Kind: "train_epoch", Key: "test_top1", Label: "test top-1 accuracy"},
			{Kind: "train_epoch", Key: "validation_top1", Label: "top-1 accuracy on validation images"},
			{Kind: "train_epoch", Key: "top1", Label: "top-1 accuracy on training images"},
			{Kind: "search_epoch", Key: "alpha_top1", Label: "top-1 accuracy of the supernet on set B"},
			{Kind: "search_epoch", Key: "top1", Label: "top-1 accuracy of the supernet on set A"},
		},
		Watched: watched,
		Training: []task.Chart{
			{Title: "Accuracy in %", Format: task.Percent, Lines: []task.Line{
				{Name: "test top-1", Key: "test_top1"}, {Name: "validation top-1", Key: "validation_top1"}, {Name: "train top-1", Key: "top1", Dashed: true}, {Name: "test top-5", Key: "test_top5"},
			}},
			{Title: "Loss in nats", Format: task.Fixed, Lines: []task.Line{
				{Name: "test", Key: "test_loss"}, {Name: "validation", Key: "validation_loss"}, {Name: "train", Key: "loss", Dashed: true},
			}},
		},
		Search: []task.Chart{
			{Title: "Loss of the supernet in nats", Format: task.Fixed, Lines: []task.Line{
				{Name: "weights, set A", Key: "loss"}, {Name: "alpha, set B", Key: "alpha_loss", Dashed: true},
			}},
			{Title: "Top-1 accuracy of the supernet in %", Format: task.Percent, Lines: []task.Line{
				{Name: "weights, set A", Key: "top1"}, {Name: "alpha, set B", Key: "alpha_top1", Dashed: true},
			}},
			{Title: "Entropy of alpha in % of its maximum", Format: task.Percent, Lines: []task.Line{{Name: "entropy", Key: "alpha_entropy", Share: true}}},
			{Title: "Share of skips among the kept edges in %", Format: task.Portion, Lines: []task.Line{{Name: "skips", Key: "skip_share", Share: true}}},
		},
		Compared: []task.Chart{
			{Title: "Test top-1 accuracy in %", Format: task.Percent, Lines: []task.Line{{Key: "test_top1"}}},
			{Title: "Test loss in nats", Format: task.Fixed, Lines: []task.Line{{Key: "test_loss"}}},
			{Title: "Validation top-1 accuracy in %", Format: task.Percent, Lines: []task.Line{{Key: "validation_top1"}}},
		},
	}
}

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
