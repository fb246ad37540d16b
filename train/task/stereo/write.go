package stereo

import (
	"fmt"
	"io"

	criterion "github.com/spikedhs/spikedhs/train/stereo"
	"github.com/spikedhs/spikedhs/train/task"
)

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
