package train

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
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
func (r *recordings) loader(c *config.Config, frames []stereo.Frame, steps, batch int, seed uint64) (*stereo.Loader, error) {
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
	return l, nil
}

// plainLoader serves whole windows in order.
func (r *recordings) plainLoader(c *config.Config, frames []stereo.Frame) (*stereo.Loader, error) {
	return stereo.NewLoader(r.set, frames, stereo.LoaderOptions{
		Steps: c.Stereo.Steps, Batch: c.Eval.Batch, Workers: c.Data.Workers, Prefetch: c.Data.Prefetch,
	})
}

// focalBaseline turns disparities into depths.
func (r *recordings) focalBaseline(c *config.Config) float64 {
	if c.Stereo.FocalBaseline > 0 {
		return c.Stereo.FocalBaseline
	}
	return r.set.Rig().FB()
}

// stereoBatch is a batch of windows on the device, [T*N, C, H, W] and labels
// [T*N, H, W].
type stereoBatch struct{ left, right, labels torch.Tensor }

func stereoToDevice(s *torch.Scope, d torch.Device, b *stereo.Batch) stereoBatch {
	rows, c, h, w := int64(b.T*b.N), int64(b.C), int64(b.H), int64(b.W)
	return stereoBatch{
		left:   torch.Upload(s, d, b.Left, rows, c, h, w),
		right:  torch.Upload(s, d, b.Right, rows, c, h, w),
		labels: torch.Upload(s, d, b.Labels, rows, h, w),
	}
}

var _ loaderOf[*stereo.Batch, *stereo.Batches] = (*stereo.Loader)(nil)

// losses calls work with the losses of batches; see [subject].
func stereoLosses(ctx context.Context, d torch.Device, l *stereo.Loader, epoch, first int, forward func(s *torch.Scope, b stereoBatch) torch.Tensor,
	use func(func(s *torch.Scope) torch.Tensor) (bool, error)) error {
	return eachBatch(ctx, l, epoch, first, func(s *torch.Scope, b *stereo.Batch) (bool, error) {
		on := stereoToDevice(s, d, b)
		if err := s.Err(); err != nil {
			return false, err
		}
		return use(func(s *torch.Scope) torch.Tensor { return forward(s, on) })
	})
}
