package stereo

import (
	"fmt"
	"io"

	"github.com/spikedhs/spikedhs/train/config"
	criterion "github.com/spikedhs/spikedhs/train/stereo"
	"github.com/spikedhs/spikedhs/train/task"
)

// Facts are the other numbers of an evaluation, and the accuracy of the baselines.
func (e Evaluation) Facts() []task.Fact {
	list := []task.Fact{
		{Name: "mean disparity error", Value: e.MeanDisparityError, Format: task.Fixed, Unit: "px"},
		{Name: "mean depth error", Value: e.MeanDepthError, Format: task.Significant, Unit: "cm"},
		{Name: "median depth error", Value: e.MedianDepthError, Format: task.Significant, Unit: "cm"},
		{Name: "test frames", Value: float64(e.Frames), Format: task.Count},
	}
	if b := e.BlockMatching; b != nil {
		list = append(list, task.Fact{Name: "9x9 SAD, within 1 px", Value: b.OnePixelAccuracy, Format: task.Percent})
	}
	if b := e.Constant; b != nil {
		list = append(list, task.Fact{Name: "constant, within 1 px", Value: b.OnePixelAccuracy, Format: task.Percent})
	}
	if a := e.Activity; a != nil {
		list = append(list, task.Fact{Name: "energy of a step (paper: 6.7 mJ)", Value: a.Energy, Format: task.Significant, Unit: "mJ"},
			task.Fact{Name: "firing rate", Value: 100 * a.FiringRate, Format: task.Percent})
	}
	return list
}

// Report is what a report shows of runs of stereo.
func (Task) Report(*config.Config) task.Report {
	both := func(name, key, architecture string) []task.Line {
		return []task.Line{{Name: "weights, set A", Key: key}, {Name: name, Key: architecture, Dashed: true}}
	}
	return task.Report{
		Examples: "windows",
		Counted:  "step",
		About: func(c *config.Config, search bool) []string {
			what, width := "training of "+task.Plural(c.Train.Epochs, "epoch"), c.Train.Width
			if search {
				what, width = "search of "+task.Plural(c.Search.Epochs, "epoch"), c.Search.Width
			}
			return []string{
				"event-based stereo", "split " + c.Stereo.Split, what, fmt.Sprintf("width %d", width),
				task.Plural(c.Stereo.Steps, "time step"), fmt.Sprintf("disparities up to %d px", c.Stereo.MaxDisparity),
			}
		},
		Result: "of the test pixels within 1 px",
		Results: []task.Record{
			{Kind: "train_epoch", Key: "validation_one_pixel_accuracy", Label: "of the validation pixels within 1 px"},
			{Kind: "train_epoch", Key: "one_pixel_accuracy", Label: "of the training pixels within 1 px"},
			{Kind: "search_epoch", Key: "alpha_one_pixel_accuracy", Label: "within 1 px, supernet on set B"},
			{Kind: "search_epoch", Key: "one_pixel_accuracy", Label: "within 1 px, supernet on set A"},
		},
		Watched: task.Line{Name: "best validation", Key: "validation_one_pixel_accuracy"},
		Training: []task.Chart{
			{Title: "Pixels within 1 px in %", Format: task.Percent, Lines: []task.Line{
				{Name: "validation", Key: "validation_one_pixel_accuracy"}, {Name: "train", Key: "one_pixel_accuracy", Dashed: true},
			}},
			{Title: "Loss in nats", Format: task.Fixed, Lines: []task.Line{
				{Name: "validation", Key: "validation_loss"}, {Name: "train", Key: "loss", Dashed: true},
			}},
			{Title: "Mean disparity error on the validation frames in px", Format: task.Fixed, Lines: []task.Line{
				{Name: "validation", Key: "validation_mean_disparity_error_px"},
			}},
		},
		Search: []task.Chart{
			{Title: "Loss of the supernet in nats", Format: task.Fixed, Lines: both("architecture, set B", "loss", "alpha_loss")},
			{Title: "Pixels of the supernet within 1 px in %", Format: task.Percent,
				Lines: both("architecture, set B", "one_pixel_accuracy", "alpha_one_pixel_accuracy")},
			{Title: "Entropy in % of its maximum", Format: task.Percent, Lines: []task.Line{
				{Name: "alpha", Key: "alpha_entropy", Share: true}, {Name: "beta", Key: "beta_entropy", Share: true, Dashed: true},
			}},
			{Title: "Share of skips among the kept edges in %", Format: task.Portion, Lines: []task.Line{{Name: "skips", Key: "skip_share", Share: true}}},
		},
		Compared: []task.Chart{
			{Title: "Validation pixels within 1 px in %", Format: task.Percent, Lines: []task.Line{{Key: "validation_one_pixel_accuracy"}}},
			{Title: "Mean disparity error on the validation frames in px", Format: task.Fixed, Lines: []task.Line{{Key: "validation_mean_disparity_error_px"}}},
		},
	}
}

// Detail is the evaluation itself.
func (e Evaluation) Detail() any { return e }

// Write tells the metrics of the network beside those of the baselines.
func (e Evaluation) Write(w io.Writer) {
	printf := func(format string, args ...any) { fmt.Fprintf(w, format, args...) }
	printf("\n%-16s  %8s  %14s  %14s  %16s\n", "", "1PA %", "disparity px", "mean depth cm", "median depth cm")
	line := func(name string, m *criterion.Metrics) {
		if m != nil {
			printf("%-16s  %8.2f  %14.3f  %14.2f  %16.2f\n", name, m.OnePixelAccuracy, m.MeanDisparityError, m.MeanDepthError, m.MedianDepthError)
		}
	}
	line("network", &e.Metrics)
	line("9x9 SAD", e.BlockMatching)
	line("constant", e.Constant)
	printf("\nframes      %s\n", task.Thousands(e.Frames))
	printf("parameters  %s\n", task.Thousands(e.Parameters))
	if e.NearZero > 0 {
		printf("near zero   %s pixels below 0.5 px, whose depth means nothing\n", task.Thousands(e.NearZero))
	}
	if e.Checkpoint != "" {
		printf("weights     %s, after epoch %d\n", e.Checkpoint, e.Epoch)
	}
	task.WriteActivity(w, e.Activity, "step")
}
