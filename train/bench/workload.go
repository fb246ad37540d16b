package bench

import (
	"context"
	"fmt"
	"time"

	scripts "github.com/spikedhs/spikedhs/bench"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// The images of all cases are CIFAR-10's in shape.
const (
	channels = 3
	classes  = 10
)

// preset is the configuration that the cases are points of.
const preset = "cifar10-paper"

// Before inference the running statistics of normalisation are settled by so
// many forward passes of a small batch in training mode: with those of fresh
// weights neurons fire at other rates. The scripts do the same.
const (
	settling      = 30
	settlingBatch = 4
)

// workload is a case that is ready to run.
type workload interface {
	step() error
	close() error
}

// firing is a workload that knows the share of neurons that fire in a time step.
type firing interface{ firingRate() (float64, error) }

// setUp makes a measurement start from the same kernels, threads and random numbers.
func setUp(device string, threads int) (torch.Device, error) {
	d, err := torch.ParseDevice(device)
	if err != nil {
		return d, err
	}
	if err := train.SetKernels(&config.Default().Run); err != nil {
		return d, err
	}
	if err := torch.SetThreads(threads); err != nil {
		return d, err
	}
	return d, torch.Seed(1)
}

// newWorkload builds our side of a case.
func newWorkload(c Case) (workload, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	device, err := setUp(c.Device, c.Threads)
	if err != nil {
		return nil, err
	}
	cfg, err := kinds[c.Task].preset(c)
	if err != nil {
		return nil, err
	}
	w, err := kinds[c.Task].build(c, device, cfg)
	if err != nil || c.Impl != OursGraphs {
		return w, err
	}
	return record(w, device)
}

func init() {
	register(kind{preset: Case.configuration, check: checkImages, has: hasImages, script: imageScript, shape: func(c Case) string {
		return fmt.Sprintf("F=%d T=%d %dx%d", c.Width, c.Steps, c.Size, c.Size)
	}},
		recipe{Train, "training steps of the published genotype", newImageTraining},
		recipe{Search, "steps of a search: of the weights and of alpha", newImageSearching},
		recipe{Infer, "the folded network of the published genotype", newInference})
}

// hasImages: SpikingJelly's own network has fixed sizes.
func hasImages(c Case, impl string) bool {
	switch impl {
	case SpikingJelly:
		return c.Task == Train || c.Task == Infer
	case SpikingJellyDHS:
		return c.Task == Train && c.Width == 48 && c.Steps == 6 && c.Size == 32
	}
	return true
}

func imageScript(impl string) string {
	if impl == SpikingJelly || impl == SpikingJellyDHS {
		return scripts.SpikingJellyWorker
	}
	return scripts.Worker
}

// smallest is the least size of an image that all networks take: level 2 has a
// grid of 2x2 then, which the auxiliary classifier needs.
const smallest = 8

func checkImages(c Case) error {
	for _, n := range []struct {
		name         string
		value, least int
	}{
		{"batch", c.Batch, 1}, {"width", c.Width, 1}, {"steps", c.Steps, 1}, {"nodes", c.Nodes, 1}, {"threads", c.Threads, 1},
		{"size", c.Size, smallest},
	} {
		if n.value < n.least {
			return fmt.Errorf("%w: %s %d: want at least %d", ErrCase, n.name, n.value, n.least)
		}
	}
	switch {
	case c.Size%4 != 0:
		return fmt.Errorf("%w: size %d: want a multiple of 4, the cells halve the image twice", ErrCase, c.Size)
	case c.Task != Search && c.Nodes != publishedNodes:
		return fmt.Errorf("%w: nodes %d: the published genotype has %d", ErrCase, c.Nodes, publishedNodes)
	}
	return nil
}

// configuration is the preset with the sizes of a case.
func (c Case) configuration() (*config.Config, error) {
	cfg, err := config.Load(preset, nil)
	if err != nil {
		return nil, err
	}
	cfg.Network.Steps, cfg.Network.Nodes = c.Steps, c.Nodes
	cfg.Train.Width, cfg.Search.Width = c.Width, c.Width
	return cfg, nil
}

// network is the network that train and infer run.
func (c Case) network(d torch.Device, cfg *config.Config) (*classify.Network, error) {
	g, err := genotype.Preset(genotype.PresetClassificationN3)
	if err != nil {
		return nil, err
	}
	return classify.NewNetwork(d, g, cfg, classify.TrainOptions(cfg, channels, classes, search.Precision(c.Precision)))
}

func newImageTraining(c Case, d torch.Device, cfg *config.Config) (workload, error) {
	n, err := c.network(d, cfg)
	if err != nil {
		return nil, err
	}
	return newTraining(n, cfg, func(s *torch.Scope) task.Tensors { return drawBatch(s, d, c.Batch, c.Size) })
}

func newImageSearching(c Case, d torch.Device, cfg *config.Config) (workload, error) {
	n, err := classify.NewSupernet(d, cfg, classify.SearchOptions(cfg, channels, classes, search.Precision(c.Precision)))
	if err != nil {
		return nil, err
	}
	return newSearching(n, cfg, func(s *torch.Scope) (one, other task.Tensors) {
		x := drawBatch(s, d, c.Batch, c.Size)
		return x, x
	})
}

// drawBatch is a batch of noise in -1..1 with labels, as a loader would bring it.
func drawBatch(s *torch.Scope, d torch.Device, images, size int) task.Tensors {
	n, side := int64(images), int64(size)
	x := torch.Uniform(1)(s, d, []int64{n, channels, side, side})
	labels := make([]int64, n)
	for i := range labels {
		labels[i] = int64(i*7) % classes
	}
	y := torch.FromSlice(s, labels, n)
	if torch.IsCUDA(d) {
		y = s.To(y, d)
	}
	return task.Tensors{Inputs: []torch.Tensor{x}, Target: y, N: images}
}

// inScope runs one step with a scope of its own.
func inScope(s *torch.Scope, work func(*torch.Scope)) error {
	work(s)
	if err := s.Close(); err != nil {
		return fmt.Errorf("bench: step: %w", err)
	}
	return nil
}

// timeSteps is how many seconds n steps take, until the device has done them.
func timeSteps(ctx context.Context, d torch.Device, n int, step func() error) (float64, error) {
	began := time.Now()
	for range n {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := step(); err != nil {
			return 0, err
		}
	}
	err := torch.Synchronize(d)
	return time.Since(began).Seconds(), err
}
