package classify

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// images are the data sets of a run.
type images struct {
	train, test data.Dataset
	validation  data.Dataset // nil where none are put aside
	mean, std   []float32
	pad         int
	channels    int // of a time step, where images have time
	height      int // of the data set's images
	width       int
	log         *slog.Logger
}

// openImages reads the data of a configuration. Training and test subsets are drawn
// with the run's seed; recordings of events become stacks of so many time steps. log,
// slog's default where nil, is told of files that cannot be read.
func openImages(ctx context.Context, c *config.Config, steps int, log *slog.Logger) (*images, error) {
	if log == nil {
		log = slog.Default()
	}
	i := &images{pad: c.Data.Pad, log: log}
	var err error
	if !data.IsEvents(c.Data.Name) {
		if i.mean, i.std, err = normalization(c); err != nil {
			return nil, err
		}
	}
	seed := uint64(c.Run.Seed)
	if i.train, err = openSplit(ctx, c, data.Train, c.Data.TrainImages, steps, seed, log); err != nil {
		return nil, err
	}
	if n := c.Data.ValidationImages; n > 0 {
		if i.train, i.validation, err = putAside(i.train, n, seed); err != nil {
			return nil, err
		}
	}
	if i.test, err = openSplit(ctx, c, data.Test, c.Data.TestImages, steps, seed, log); err != nil {
		return nil, err
	}
	i.channels, i.height, i.width = i.train.Shape()
	if timed, ok := data.AsTimed(i.train); ok {
		i.channels /= timed.Steps()
	}
	return i, nil
}

func openSplit(ctx context.Context, c *config.Config, split data.Split, limit, steps int, seed uint64, log *slog.Logger) (data.Dataset, error) {
	set, err := openSet(ctx, c, split, steps, log)
	if err != nil {
		return nil, err
	}
	if limit == 0 || limit == set.Len() {
		return set, nil
	}
	if set, err = data.Take(set, limit, seed); err != nil {
		return nil, fmt.Errorf("%w: data.%s_images: %w", config.ErrInvalid, split, err)
	}
	return set, nil
}

// normalization is the configured mean and deviation of each channel, or the data
// set's own.
func normalization(c *config.Config) (mean, std []float32, err error) {
	if len(c.Data.Mean) == 0 {
		return data.Normalization(c.Data.Name)
	}
	for k := range c.Data.Mean {
		mean, std = append(mean, float32(c.Data.Mean[k])), append(std, float32(c.Data.Std[k]))
	}
	return mean, std, nil
}

// warnOfCorrupt says after an epoch how many image files of a set could not be read.
func (i *images) warnOfCorrupt(split data.Split, set data.Dataset) {
	if c := data.CorruptOf(set); c.Files > 0 {
		i.log.Warn("image files could not be read; others were taken in their place", "split", split.String(),
			"unreadable", c.Files, "files", c.Total, "such as", strings.Join(c.Examples, ", "))
	}
}

// trainingLoader serves a set in training batches on a device.
func (i *images) trainingLoader(d torch.Device, c *config.Config, set data.Dataset, batch int, seed uint64, a data.Augment) (*task.Loader, error) {
	a.Pad, a.Mean, a.Std = i.pad, i.mean, i.std
	if _, onDemand := set.(data.Cropper); onDemand {
		a.CropPadding = 0 // the resized crop takes its place
		if c.Train.CropMinArea > 0 {
			a.Resized = data.ResizedCrop{MinArea: c.Train.CropMinArea, MaxRatio: data.ImageNetCrop.MaxRatio}
		}
	}
	l, err := i.loader(set, forTraining, data.LoaderOptions{
		Batch: batch, Seed: seed, Workers: c.Data.Workers, Prefetch: c.Data.Prefetch,
		Shuffle: true, DropLast: set.Len() >= batch, Augment: a,
	})
	if err != nil {
		return nil, err
	}
	l.Warn = func() { i.warnOfCorrupt(data.Train, set) }
	return l, l.Keep(d, &c.Data)
}

// loader serves a set whose images are shaped for a network.
func (i *images) loader(set data.Dataset, shaped func(*torch.Scope, data.Dataset, torch.Tensor) torch.Tensor, o data.LoaderOptions) (*task.Loader, error) {
	of, err := data.NewLoader(set, o)
	if err != nil {
		return nil, err
	}
	l := task.NewLoader(of)
	l.Reshape = func(s *torch.Scope, x torch.Tensor) torch.Tensor { return shaped(s, set, x) }
	return l, nil
}

// putAside divides a training set: validation are n of its images, which seed decides.
func putAside(set data.Dataset, n int, seed uint64) (rest, validation data.Dataset, err error) {
	if n >= set.Len() {
		return nil, nil, fmt.Errorf("%w: data.validation_images = %d: there are %d training images; set it lower", config.ErrInvalid, n, set.Len())
	}
	order := rand.New(rand.NewPCG(seed, 0x76616c6964617465)).Perm(set.Len())
	slices.Sort(order[:n])
	slices.Sort(order[n:])
	if validation, err = data.Subset(set, order[:n]); err != nil {
		return nil, nil, err
	}
	rest, err = data.Subset(set, order[n:])
	return rest, validation, err
}

// of is the set of a part of the data.
func (i *images) of(part task.Part) data.Dataset {
	if part == task.Validation {
		return i.validation
	}
	return i.test
}

// plainLoader serves a set in order, as images in 0..1 of their own size: the
// input of the inference form.
func (i *images) plainLoader(c *config.Config, set data.Dataset) (*task.Loader, error) {
	return i.loader(set, withTime, data.LoaderOptions{Batch: c.Eval.Batch, Workers: c.Data.Workers, Prefetch: c.Data.Prefetch})
}

// input is how the inference form treats images. Stacks of events are taken as
// they are, so that spikes stay spikes.
func (i *images) input() search.Input {
	in := search.Input{Height: i.height, Width: i.width, Pad: i.pad}
	if i.mean == nil {
		in.Mean, in.Deviation = make([]float64, i.channels), make([]float64, i.channels)
		for k := range in.Deviation {
			in.Deviation[k] = 1
		}
	}
	for k := range i.mean {
		in.Mean = append(in.Mean, float64(i.mean[k]))
		in.Deviation = append(in.Deviation, float64(i.std[k]))
	}
	return in
}
