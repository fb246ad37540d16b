package reproduce

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// Collect reads what an experiment in the folder out has reached. Runs that have not
// ended are part of the result and count for no mean.
func Collect(out, experiment string) (*Result, error) {
	e, err := FindExperiment(experiment)
	if err != nil {
		return nil, err
	}
	o, err := readAsked(filepath.Join(out, e.Name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s holds no %s: run spikedhs reproduce %s --out %s first", run.ErrNotRun, out, e.Name, e.Name, out)
	}
	if err != nil {
		return nil, err
	}
	o.Out = out
	p, err := o.plan()
	if err != nil {
		return nil, err
	}
	r := &Result{
		Experiment: e.Name, Title: e.Title, About: e.About, Scale: o.Scale, Data: o.Data, Seeds: slices.Sorted(slices.Values(o.Seeds)),
		Settings: slices.Concat([]string{"preset " + p.base.preset}, p.base.settings, p.base.extra), Command: o.Command,
	}
	for _, row := range p.rows {
		one := RowResult{Name: row.Name, Label: row.Label, About: row.About, Settings: p.base.own(row), Paper: row.Paper}
		if err := one.collect(out, p, row); err != nil {
			return nil, err
		}
		r.Rows = append(r.Rows, one)
	}
	if r.Search, err = collectSearch(p); err != nil {
		return nil, err
	}
	r.machine()
	return r, nil
}

// collect reads the runs of a row.
func (r *RowResult) collect(out string, p *plan, row Row) error {
	var accuracies []float64
	for _, t := range p.tasks {
		if t.Kind != training || t.row.Name != row.Name {
			continue
		}
		dir := t.Dir
		if !exists(dir) {
			other := t.elsewhere(out)
			if other == nil {
				continue
			}
			dir = other.Dir()
		}
		one, err := readRun(dir)
		if errors.Is(err, run.ErrNotRun) {
			continue // it has just begun
		}
		if err != nil {
			return err
		}
		one.Seed = t.seed
		r.Runs = append(r.Runs, *one)
		r.Genotype = one.hash
		if one.Ended {
			accuracies = append(accuracies, one.Top1)
		}
	}
	slices.SortFunc(r.Runs, func(a, b Outcome) int { return int(a.Seed - b.Seed) })
	r.Top1 = Summarize(accuracies)
	return nil
}

// readRun reads the folder of a training.
func readRun(dir string) (*Outcome, error) {
	folder, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	o := &Outcome{Dir: dir, Seed: folder.Config().Run.Seed, Ended: complete(folder), info: folder.Info(), timeSteps: folder.Config().Network.Steps}
	if g, err := genotype.Load(folder.Path(run.GenotypeFile)); err == nil {
		o.hash = g.Hash()
	}
	records, err := run.ReadMetrics(folder.Path(run.MetricsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := o.read(records); err != nil {
		return nil, fmt.Errorf("%s: %w", folder.Path(run.MetricsFile), err)
	}
	text, err := os.ReadFile(folder.Path(train.EvaluationFile))
	if errors.Is(err, os.ErrNotExist) {
		o.Ended = false
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	of := registry.Of(folder.Config())
	e, err := of.Evaluation(text)
	var common struct { // to all tasks; one without Top5 leaves it 0
		Top5, Loss float64
		Parameters int64
		Activity   *Activity
	}
	if err = errors.Join(err, json.Unmarshal(text, &common)); err != nil {
		return nil, fmt.Errorf("%s: %w", folder.Path(train.EvaluationFile), err)
	}
	o.Top1, o.Top5, o.Loss, o.Parameters, o.Activity = e.Percent(), common.Top5, common.Loss, common.Parameters, common.Activity
	for _, n := range e.Fields() {
		if slices.Contains([]string{"loss", "top5", of.Score().Key}, n.Name) {
			continue // they have a place of their own
		}
		if o.Metrics == nil {
			o.Metrics = map[string]any{}
		}
		o.Metrics[n.Name] = n.Value
	}
	return o, nil
}

// collectSearch reads the run that finds the searched cell; nil where there is none.
func collectSearch(p *plan) (*SearchOutcome, error) {
	dir := p.search()
	folder, err := run.Open(dir)
	if errors.Is(err, run.ErrNotRun) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &SearchOutcome{Dir: dir, Ended: !folder.Info().Ended.IsZero()}
	records, err := run.ReadMetrics(folder.Path(run.MetricsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	s.Seconds = seconds(records)
	if g, err := genotype.Load(folder.Path(run.GenotypeFile)); err == nil && s.Ended {
		s.Genotype = g.Hash()
		for _, n := range g.Subnets {
			for _, line := range n.Cell.Equations() {
				s.Cells = append(s.Cells, strings.TrimPrefix(n.Name+" "+line, genotype.Normal+" "))
			}
		}
	}
	return s, nil
}

// machine takes the facts about the machine from the first run.
func (r *Result) machine() {
	for _, row := range r.Rows {
		for _, one := range row.Runs {
			i := one.info
			r.Machine = Machine{i.Device, i.Threads, i.Precision, i.Libtorch, i.Version, i.Git}
			return
		}
	}
}

// state is how far a run folder is.
type state int

const (
	fresh    state = iota // nothing is there
	begun                 // it has a checkpoint to go on from
	finished              // it has come to its end
)

// stateOf looks at the folder of a task. What an end before the first checkpoint left
// is cleared away.
func (t *task) state() (state, error) {
	if _, err := os.Stat(t.Dir); errors.Is(err, os.ErrNotExist) {
		return fresh, nil
	}
	folder, err := run.Open(t.Dir)
	if errors.Is(err, run.ErrNotRun) {
		return fresh, t.clear()
	}
	if err != nil {
		return fresh, err
	}
	if keys := t.differs(folder); len(keys) > 0 {
		return fresh, fmt.Errorf("%w: the run in %s has other values of %s; give another --out, or remove that folder to repeat the run",
			config.ErrInvalid, t.Dir, strings.Join(keys, ", "))
	}
	switch {
	case complete(folder):
		return finished, nil
	case exists(folder.Path(run.CheckpointDir, train.CheckpointFile)):
		return begun, nil
	}
	return fresh, t.clear()
}

// clear removes a folder that this package made and a run never got far in. Anything
// else at its place is left alone: [run.Create] then refuses it.
func (t *task) clear() error {
	entries, err := os.ReadDir(t.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		known := e.Name() == run.ConfigFile || e.Name() == run.InfoFile || e.Name() == run.CheckpointDir || e.Name() == run.MetricsFile ||
			strings.HasPrefix(e.Name(), "genotype.") || strings.HasPrefix(e.Name(), "events.") || strings.HasSuffix(e.Name(), ".tmp")
		if !known {
			return nil
		}
	}
	return os.RemoveAll(t.Dir)
}

// ownKeys are keys that may differ between runs that compute the same.
var ownKeys = []string{"run.name", "train.genotype", "data.path", "data.workers", "data.prefetch"}

// differs are the keys in which a run differs from the task; "genotype" stands among
// them for another architecture.
func (t *task) differs(folder *run.Folder) []string {
	keys := slices.DeleteFunc(config.Diff(t.Config, folder.Config()), func(key string) bool { return slices.Contains(ownKeys, key) })
	if t.Kind == training && t.hash != "" {
		if g, err := genotype.Load(folder.Path(run.GenotypeFile)); err == nil && g.Hash() != t.hash {
			keys = append(keys, "the genotype")
		}
	}
	return keys
}

// complete reports whether a run has come to its end.
func complete(folder *run.Folder) bool { return !folder.Info().Ended.IsZero() }

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// elsewhere finds a finished run of an equal configuration and architecture in the
// folders of other experiments; nil if there is none.
func (t *task) elsewhere(out string) *run.Folder {
	if t.Kind != training || t.hash == "" {
		return nil
	}
	// Glob fails on malformed patterns alone; its order is fixed.
	dirs, _ := filepath.Glob(filepath.Join(escapeGlob(out), "*", "*", fmt.Sprintf("seed-%d", t.seed)))
	for _, dir := range dirs {
		if dir == t.Dir {
			continue
		}
		folder, err := run.Open(dir)
		if err != nil || !complete(folder) || !exists(folder.Path(run.GenotypeFile)) || len(t.differs(folder)) > 0 {
			continue
		}
		return folder
	}
	return nil
}

// escapeGlob makes a path a pattern that matches it alone.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
