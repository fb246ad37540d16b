package stereo

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"

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

// loader serves training windows: a new order and new crops each epoch.
func (r *recordings) loader(c *config.Config, frames []stereo.Frame, steps, batch int, seed uint64) (*loader, error) {
	o := stereo.LoaderOptions{
		Steps: steps, Batch: batch, Seed: seed, Shuffle: true, DropLast: len(frames) >= batch,
		Workers: c.Data.Workers, Prefetch: c.Data.Prefetch,
	}
	if len(c.Stereo.Crop) == 2 {
		o.CropHeight, o.CropWidth = c.Stereo.Crop[0], c.Stereo.Crop[1]
	}
	l, err := stereo.NewLoader(r.set, frames, o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	return &loader{l, batch}, nil
}

// plainLoader serves whole windows in order.
func (r *recordings) plainLoader(c *config.Config, frames []stereo.Frame) (*loader, error) {
	l, err := stereo.NewLoader(r.set, frames, stereo.LoaderOptions{
		Steps: c.Stereo.Steps, Batch: c.Eval.Batch, Workers: c.Data.Workers, Prefetch: c.Data.Prefetch,
	})
	if err != nil {
		return nil, err
	}
	return &loader{l, c.Eval.Batch}, nil
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

// loader serves windows: the stacks of both views, [T*N, C, H, W] with time slowest, and
// disparities in pixels, [T*N, H, W], +Inf for none.
type loader struct {
	*stereo.Loader
	batch int
}

// Size is the number of windows of a full batch.
func (l *loader) Size() int { return min(l.batch, l.Len()) }

// Epoch begins an epoch.
func (l *loader) Epoch(ctx context.Context, epoch, first int) task.Batches {
	return task.NewBatches(l.Loader.Epoch(ctx, epoch, first), func(b *stereo.Batch) *task.Batch {
		rows, c, h, w := int64(b.T*b.N), int64(b.C), int64(b.H), int64(b.W)
		return &task.Batch{N: b.N, Arrays: []task.Array{
			task.NewArray(b.Left, rows, c, h, w), task.NewArray(b.Right, rows, c, h, w), task.NewArray(b.Labels, rows, h, w),
		}}
	})
}

// Tensors are the uploaded ones.
func (*loader) Tensors(_ *torch.Scope, uploaded []torch.Tensor, n int) task.Tensors {
	return task.Tensors{Inputs: uploaded[:2], Target: uploaded[2], N: n}
}

// Warn has nothing to tell: recordings that cannot be read end a run.
func (*loader) Warn() {}

// Close frees nothing: recordings stay with the host.
func (*loader) Close() error { return nil }
