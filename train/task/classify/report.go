package classify

import (
	"fmt"

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
