package reproduce

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// Result is what an experiment has reached so far.
type Result struct {
	Experiment string   `json:"experiment"`
	Title      string   `json:"title"`
	About      string   `json:"about"`
	Scale      string   `json:"scale"`
	Data       string   `json:"data"`
	Seeds      []int64  `json:"seeds"`
	Settings   []string `json:"settings"` // of all rows, the user's last
	// Command is the command line that was called last.
	Command []string `json:"command,omitempty"`
	Machine Machine  `json:"machine"`
	// Search is the run that found the searched cell, where there is one.
	Search *SearchOutcome `json:"search,omitempty"`
	Rows   []RowResult    `json:"rows"`
}

// Machine is what the first run computed with.
type Machine struct {
	Device    string `json:"device"`
	Threads   int    `json:"threads"`
	Precision string `json:"precision"`
	Libtorch  string `json:"libtorch"`
	Version   string `json:"version"`
	Git       string `json:"git,omitempty"`
}

// RowResult is what a row has reached.
type RowResult struct {
	Name     string   `json:"row"`
	Label    string   `json:"label"`
	About    string   `json:"about"`
	Settings []string `json:"settings"`
	// Genotype is the hash of the architecture.
	Genotype string `json:"genotype,omitempty"`
	// Top1 summarizes the accuracy on the test images in percent over the ended runs.
	Top1 Summary `json:"top1"`
	// Runs are the runs that have begun, in the order of their seeds.
	Runs []Outcome `json:"runs"`
	// Paper is what the paper reports, by data set.
	Paper map[string]Number `json:"paper,omitempty"`
}

// Outcome is what one training has reached.
type Outcome struct {
	Seed int64  `json:"seed"`
	Dir  string `json:"dir"`
	// Ended tells whether the run has come to its end; what follows is then final.
	Ended bool `json:"ended"`
	// Top1 is the score of the task in percent, of classification top-1.
	Top1       float64 `json:"top1"`
	Top5       float64 `json:"top5"`
	Loss       float64 `json:"loss"`
	Parameters int64   `json:"parameters"`
	// Metrics are the other numbers of the evaluation, by the names that the task has for
	// them.
	Metrics map[string]any `json:"metrics,omitempty"`
	// Steps are steps of the weights; SearchPasses the passes through the network that
	// DGS spent beside them.
	Steps        int64 `json:"steps"`
	SearchPasses int64 `json:"dgs_passes"`
	// LayerPasses are the passes through single layers, which cost little beside.
	LayerPasses int64 `json:"dgs_layer_passes"`
	// Seconds is the time of training and evaluations.
	Seconds float64 `json:"seconds"`
	// Activity is sparsity and energy of the trained network on the test images.
	Activity *Activity `json:"activity,omitempty"`

	timeSteps int // T
	epochs    []epoch
	phases    []phase
	info      run.Info
	hash      string
}

// SearchOutcome is what the search of a cell took and found.
type SearchOutcome struct {
	Dir      string   `json:"dir"`
	Ended    bool     `json:"ended"`
	Genotype string   `json:"genotype,omitempty"`
	Cells    []string `json:"cells,omitempty"` // equations
	Seconds  float64  `json:"seconds"`
}

// Collect reads what an experiment in the folder out has reached. Runs that have not
// ended are part of the result and count for no mean.
func Collect(out, experiment string) (*Result, error) {
	e, err := FindExperiment(experiment)
	if err != nil {
		return nil, err
	}
	o, err := readAsked(filepath.Join(out, e.Name))
	if errors.Is(err, fs.ErrNotExist) {
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
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := o.read(records); err != nil {
		return nil, fmt.Errorf("%s: %w", folder.Path(run.MetricsFile), err)
	}
	text, err := os.ReadFile(folder.Path(train.EvaluationFile))
	if errors.Is(err, fs.ErrNotExist) {
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
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
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

// row returns the result of a row, nil where it was not asked for.
func (r *Result) row(name string) *RowResult {
	if i := slices.IndexFunc(r.Rows, func(one RowResult) bool { return one.Name == name }); i >= 0 {
		return &r.Rows[i]
	}
	return nil
}

// ended are the runs of the row that have come to their end.
func (r *RowResult) ended() []Outcome {
	if r == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Runs), func(o Outcome) bool { return !o.Ended })
}

// mean is the mean of a number over the ended runs.
func (r *RowResult) summary(of func(Outcome) (float64, bool)) Summary {
	var values []float64
	for _, one := range r.ended() {
		if x, ok := of(one); ok {
			values = append(values, x)
		}
	}
	return Summarize(values)
}
