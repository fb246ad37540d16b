package reproduce

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// Options say which experiment to run, how large, and where. Those with a name in JSON
// are kept in the folder, for a later report.
type Options struct {
	// Experiment, Scale and Data are names; an empty Data is the first of the scale
	// that the experiment can be run on.
	Experiment string `json:"experiment"`
	Scale      string `json:"scale"`
	Data       string `json:"data"`
	// Seeds are the seeds that every row is trained with. Default: 1.
	Seeds []int64 `json:"seeds"`
	// Only limits the experiment to rows of these names.
	Only []string `json:"only,omitempty"`
	// Set are settings over those of every row, in the form section.key=value.
	Set []string `json:"set,omitempty"`
	// Command and Version go into every run.json.
	Command []string `json:"command,omitempty"`
	Version string   `json:"-"`
	// Out is the folder that holds a folder for each experiment.
	Out string `json:"-"`
	// Resume goes on with an experiment that is in Out already.
	Resume bool `json:"-"`
	// Jobs is how many runs go side by side. Default: as many as there are cores for
	// the threads of a run; 1 without Worker, since libtorch has one random number
	// generator a process.
	Jobs int `json:"-"`
	// Worker is the command that does a run in a process of its own: a program that
	// calls [Work] with its standard input. Without it runs are done in this process.
	Worker []string `json:"-"`
	// Log receives what happens. Default: nothing.
	Log *slog.Logger `json:"-"`
	// Progress shows how far the experiment is. Default: nothing.
	Progress *run.Progress `json:"-"`
}

// setDefaults fills in what may be left out.
func (o *Options) setDefaults() error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = run.NewProgress(io.Discard)
	}
	if len(o.Seeds) == 0 {
		o.Seeds = []int64{1}
	}
	for i, seed := range o.Seeds {
		if seed < 0 || slices.Contains(o.Seeds[:i], seed) {
			return fmt.Errorf("%w: seed %d: give each seed once, from 0 on", config.ErrInvalid, seed)
		}
	}
	if o.Out == "" {
		return errors.New("reproduce: the folder has no name: give one with --out")
	}
	if o.Jobs > 1 && len(o.Worker) == 0 {
		return errors.New("reproduce: several jobs need a Worker: one process computes one run at a time")
	}
	for _, one := range o.Set {
		for _, ours := range []string{"run.seed", "run.name", "train.genotype", "network.nodes", "network.downsample"} {
			if key, _, _ := strings.Cut(one, "="); strings.TrimSpace(key) == ours {
				return fmt.Errorf("%w: --set %s: the experiment decides over %s; leave it out", config.ErrInvalid, one, ours)
			}
		}
	}
	return nil
}

// askedFile is where an experiment's folder keeps what was asked for.
const askedFile = "experiment.json"

// open makes the folder of the experiment, or finds it.
func (o *Options) open(dir string) error {
	now, err := o.merged(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return run.WriteFileAtomic(filepath.Join(dir, askedFile), func(w io.Writer) error { return writeJSON(w, now) })
}

// merged is what is asked for now and was before: seeds and rows of earlier calls
// stay part of it. It is an error if the folder is taken.
func (o *Options) merged(dir string) (Options, error) {
	now := *o
	before, err := readAsked(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return now, nil
	case err != nil:
		return now, err
	case !o.Resume:
		return now, fmt.Errorf("%s exists: %w", dir, run.ErrExists)
	case before.Scale != now.Scale || before.Data != now.Data || !slices.Equal(before.Set, now.Set):
		return now, fmt.Errorf("%w: %s was begun with --scale %s --dataset %s%s; continue it with these or give another --out",
			config.ErrInvalid, dir, before.Scale, before.Data, flags(before.Set))
	}
	now.Seeds = union(before.Seeds, now.Seeds)
	switch {
	case len(before.Only) == 0 || len(now.Only) == 0:
		now.Only = nil
	default:
		now.Only = union(before.Only, now.Only)
	}
	return now, nil
}

func readAsked(dir string) (o Options, err error) {
	path := filepath.Join(dir, askedFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}

func flags(settings []string) string {
	text := ""
	for _, one := range settings {
		text += " --set " + one
	}
	return text
}

// union is a with what b has more.
func union[T comparable](a, b []T) []T {
	all := slices.Clone(a)
	for _, one := range b {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// Found are the names of the experiments that a folder holds, in the order of
// [Experiments]. None is an error that wraps [run.ErrNotRun].
func Found(out string) ([]string, error) {
	var found []string
	for _, name := range ExperimentNames() {
		if exists(filepath.Join(out, name, askedFile)) {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s holds no experiment of spikedhs reproduce; name the folder that was its --out", run.ErrNotRun, out)
	}
	return found, nil
}
