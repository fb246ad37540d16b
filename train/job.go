package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/registry"
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

	task     task.Task                            // that of the configuration
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
	m := machine{device: device, threads: torch.Threads(), precision: task.Precision(c.Run.Precision, device)}
	m.graphs = c.Run.Graphs == "auto" && torch.IsCUDA(device)
	return m, torch.Seed(uint64(c.Run.Seed))
}

// begin finds the task of the job and, for one that is resumed, its configuration.
func (j *Job) begin() error {
	if j.Resume {
		if err := j.adoptRecorded(); err != nil {
			return err
		}
		if err := j.resumeConfig(); err != nil {
			return err
		}
	}
	j.task = registry.Of(j.Config)
	return nil
}

// open sets the machine up and reads what a phase works on.
func (j *Job) open(ctx context.Context, phase task.Phase) (machine, task.Problem, error) {
	m, err := j.setUp()
	if err != nil {
		return m, nil, err
	}
	p, err := j.task.Open(ctx, j.Config, phase, j.Log)
	return m, p, err
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
