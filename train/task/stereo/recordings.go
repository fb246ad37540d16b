package stereo

import (
	"fmt"
	"log/slog"
	"strconv"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// recordings are the stereo data of a run.
type recordings struct {
	set   *stereo.Set
	parts stereo.Parts
}

// openRecordings opens the folder of a configuration and divides its frames.
func openRecordings(c *config.Config, log *slog.Logger) (*recordings, error) {
	if c.Data.Path == "" {
		return nil, fmt.Errorf("%w: data.path is empty; name the folder of the recordings with --set data.path=DIR, and make one with `spikedhs data synth` or `spikedhs data convert-mvsec`",
			config.ErrInvalid)
	}
	set, err := stereo.Open(c.Data.Path, stereo.Options{Log: log})
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	r := &recordings{set: set}
	if c.Stereo.Split == "scenes" {
		r.parts, err = set.Split()
	} else {
		number, _ := strconv.Atoi(c.Stereo.Split) // the rule of the key allows numbers alone
		r.parts, err = set.MVSEC(number)
	}
	if err != nil {
		return nil, fmt.Errorf("train: stereo.split = %q: %w", c.Stereo.Split, err)
	}
	for _, part := range []struct {
		frames *[]stereo.Frame
		most   int
	}{
		{&r.parts.Train, c.Data.TrainImages}, {&r.parts.Validation, c.Stereo.ValidationFrames}, {&r.parts.Test, c.Data.TestImages},
	} {
		*part.frames = evenly(stereo.Windows(*part.frames, c.Stereo.Steps), part.most)
	}
	return r, nil
}

// evenly takes at most so many frames, spread over the list; all for 0.
func evenly(frames []stereo.Frame, most int) []stereo.Frame {
	if most == 0 || most >= len(frames) {
		return frames
	}
	some := make([]stereo.Frame, most)
	for i := range some {
		some[i] = frames[i*len(frames)/most]
	}
	return some
}

// trainingLoader serves training windows on a device: a new order and new crops each epoch.
func (r *recordings) trainingLoader(d torch.Device, c *config.Config, frames []stereo.Frame, steps, batch int, seed uint64) (*task.Loader, error) {
	w := stereo.WindowOptions{Steps: steps}
	if len(c.Stereo.Crop) == 2 {
		w.CropHeight, w.CropWidth = c.Stereo.Crop[0], c.Stereo.Crop[1]
	}
	of, err := stereo.NewLoader(r.set, frames, w, data.LoaderOptions{
		Batch: batch, Seed: seed, Shuffle: true, DropLast: len(frames) >= batch, Workers: c.Data.Workers, Prefetch: c.Data.Prefetch,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	l := task.NewLoader(of)
	return l, l.Keep(d, &c.Data)
}

// plainLoader serves whole windows in order.
func (r *recordings) plainLoader(c *config.Config, frames []stereo.Frame) (*task.Loader, error) {
	of, err := stereo.NewLoader(r.set, frames, stereo.WindowOptions{Steps: c.Stereo.Steps},
		data.LoaderOptions{Batch: c.Eval.Batch, Workers: c.Data.Workers, Prefetch: c.Data.Prefetch})
	if err != nil {
		return nil, err
	}
	return task.NewLoader(of), nil
}

// of are the frames of a part.
func (r *recordings) of(part task.Part) []stereo.Frame {
	if part == task.Validation {
		return r.parts.Validation
	}
	return r.parts.Test
}

// focalBaseline turns disparities into depths.
func (r *recordings) focalBaseline(c *config.Config) float64 {
	if c.Stereo.FocalBaseline > 0 {
		return c.Stereo.FocalBaseline
	}
	return r.set.Rig().FB()
}
