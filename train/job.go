package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// Job is what search and training have in common: a configuration, the place
// of the run, and where progress is shown.
type Job struct {
	// Config is the configuration; a resumed run takes its own from the folder.
	Config *config.Config
	// Out is the run folder to make, or to continue.
	Out string
	// Folder is a run folder that the caller made already; Out is then unused.
	Folder *run.Folder
	// Resume continues the run in Out from its last checkpoint.
	Resume bool
	// MaxSteps ends the run, with a checkpoint, once it has done so many steps,
	// those before a resume included; 0 for no such end. What it leaves can be
	// resumed.
	MaxSteps int64
	// Log receives what happens. Default: nothing.
	Log *slog.Logger
	// Progress shows how far the run is. Default: nothing.
	Progress *run.Progress
	// Version and Command go into run.json.
	Version string
	Command []string

	recorded run.Info                             // of a resumed run
	record   func(func() error) (replayer, error) // of tests, in place of CUDA graphs
	stream   func() (func() error, error)         // of tests, in place of a CUDA stream
}

// ErrInterrupted is wrapped by the error of a run that its context ended. A
// checkpoint was saved; Resume continues it.
var ErrInterrupted = errors.New("interrupted; a checkpoint was saved, continue with --resume")

// withDefaults fills in what may be left out.
func (j Job) withDefaults() Job {
	if j.Log == nil {
		j.Log = slog.New(slog.DiscardHandler)
	}
	if j.Progress == nil {
		j.Progress = run.NewProgress(io.Discard)
	}
	return j
}

// machine is the device and the settings a run computes with.
type machine struct {
	device    torch.Device
	threads   int
	precision search.Precision
	graphs    bool // steps are recorded as CUDA graphs
}

// recorder records the steps of a loop, nil where they are not to be recorded.
func (m machine) recorder(j *Job) *recorder {
	switch {
	case j.record != nil:
		return &recorder{log: j.Log, record: j.record, stream: j.stream}
	case m.graphs:
		return newRecorder(m.device, j.Log)
	}
	return nil
}

// setUp applies the [run] section: device, kernels, threads, seed.
func setUp(c *config.Config) (machine, error) {
	device, err := torch.ParseDevice(c.Run.Device)
	if err != nil {
		return machine{}, fmt.Errorf("%w: run.device: %w", config.ErrInvalid, err)
	}
	if err := SetKernels(&c.Run); err != nil {
		return machine{}, err
	}
	if c.Run.Threads > 0 {
		if err := torch.SetThreads(c.Run.Threads); err != nil {
			return machine{}, err
		}
	}
	m := machine{device: device, threads: torch.Threads(), precision: resolvePrecision(c.Run.Precision, device)}
	m.graphs = c.Run.Graphs == "auto" && torch.IsCUDA(device)
	return m, torch.Seed(uint64(c.Run.Seed))
}

// openFolder makes the run folder or opens the one to be resumed.
func (j *Job) openFolder(m machine) (*run.Folder, error) {
	if j.Folder != nil {
		return j.Folder, nil
	}
	if j.Resume {
		return run.Open(j.Out)
	}
	return run.Create(j.Out, j.Config, newInfo(j.Version, j.Command, m))
}

// resumeConfig takes the configuration of the run that is continued. Another
// one, if given, must agree with it.
func (j *Job) resumeConfig() error {
	folder, err := run.Open(j.Out)
	if err != nil {
		return err
	}
	if j.Config != nil {
		if keys := config.Diff(j.Config, folder.Config()); len(keys) > 0 {
			return fmt.Errorf("%w: the run in %s was started with other values of %s; leave them out to continue it",
				config.ErrInvalid, j.Out, strings.Join(keys, ", "))
		}
	}
	j.Config = folder.Config()
	j.recorded = folder.Info()
	return nil
}

// refuseStereo tells a program that asks for classification with the configuration of
// a stereo run which functions there are.
func (j *Job) refuseStereo() error {
	if j.Config != nil && j.Config.IsStereo() {
		return fmt.Errorf("%w: data.name = \"stereo\" is event-based stereo: call TrainStereo or SearchStereo", config.ErrInvalid)
	}
	return nil
}

// setUp applies the [run] section. A resumed run keeps the precision that it
// began with, also on a machine where "auto" would choose another.
func (j *Job) setUp() (machine, error) {
	m, err := setUp(j.Config)
	if err != nil {
		return m, err
	}
	if j.recorded.Precision != "" {
		m.precision = search.Precision(j.recorded.Precision)
	}
	return m, errors.Join(needsCUDA("run.precision", m.precision, m.device),
		needsCUDA("eval.precision", search.Precision(j.Config.Eval.Precision), m.device))
}

// checkpointPath is the checkpoint of the run in Out.
func (j *Job) checkpointPath() string {
	return filepath.Join(j.Out, run.CheckpointDir, CheckpointFile)
}

// NewInfo describes this program and the machine as a configuration uses it, for
// the run.json of a folder that the caller makes.
func NewInfo(c *config.Config, version string, command []string) (run.Info, error) {
	m, err := setUp(c)
	if err != nil {
		return run.Info{}, err
	}
	return newInfo(version, command, m), nil
}

func newInfo(version string, command []string, m machine) run.Info {
	return run.Info{
		Version: version, Command: command, Libtorch: torch.Version(),
		Device: torch.DeviceName(m.device), Precision: string(m.precision), Threads: m.threads,
	}
}

// images are the data sets of a run.
type images struct {
	train, test data.Dataset
	mean, std   []float32
	pad         int
	channels    int // of a time step, where images have time
	height      int // of the data set's images
	width       int
}

// openImages reads the data of a configuration. Training and test subsets are
// drawn with the run's seed.
// Recordings of events become stacks of network.steps time steps.
func openImages(ctx context.Context, c *config.Config) (*images, error) {
	return openImagesAt(ctx, c, c.Network.Steps, nil)
}

// openImagesAt is openImages with another number of time steps; log, slog's default
// where nil, is told of files that cannot be read.
func openImagesAt(ctx context.Context, c *config.Config, steps int, log *slog.Logger) (*images, error) {
	if log == nil {
		log = slog.Default()
	}
	i := &images{pad: c.Data.Pad}
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
func warnOfCorrupt(log *slog.Logger, split data.Split, set data.Dataset) {
	if c := data.CorruptOf(set); c.Files > 0 {
		log.Warn("image files could not be read; others were taken in their place", "split", split.String(),
			"unreadable", c.Files, "files", c.Total, "such as", strings.Join(c.Examples, ", "))
	}
}

// loader serves a set in training batches.
func (i *images) loader(c *config.Config, set data.Dataset, batch int, seed uint64, a data.Augment) (*data.Loader, error) {
	a.Pad, a.Mean, a.Std = i.pad, i.mean, i.std
	if _, onDemand := set.(data.Cropper); onDemand {
		a.CropPadding = 0 // the resized crop takes its place
		if c.Train.CropMinArea > 0 {
			a.Resized = data.ResizedCrop{MinArea: c.Train.CropMinArea, MaxRatio: data.ImageNetCrop.MaxRatio}
		}
	}
	return data.NewLoader(set, data.LoaderOptions{
		Batch: batch, Seed: seed, Workers: c.Data.Workers, Prefetch: c.Data.Prefetch,
		Shuffle: true, DropLast: set.Len() >= batch, Augment: a,
	})
}

// plainLoader serves a set in order, as images in 0..1 of their own size: the
// input of the inference form.
func (i *images) plainLoader(c *config.Config, set data.Dataset) (*data.Loader, error) {
	return data.NewLoader(set, data.LoaderOptions{
		Batch: c.Eval.Batch, Workers: c.Data.Workers, Prefetch: c.Data.Prefetch,
	})
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
