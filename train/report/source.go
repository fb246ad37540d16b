package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// Names in a run folder beside those of package run.
const (
	evaluationFile = "evaluation.json"
	searchDir      = "search"
)

// Kinds of records.
const (
	searchEpoch = "search_epoch"
	trainEpoch  = "train_epoch"
	trainStep   = "train_step"
)

// source is what a run folder holds.
type source struct {
	folder     *run.Folder
	records    []run.Record
	task       task.Task
	report     task.Report
	genotype   *genotype.Genotype // nil if there is none
	measured   task.Evaluation    // nil if there is none
	evaluation *evaluation        // what measured has beside its numbers
	model      int64              // bytes of the exported model, 0 if there is none
	search     *source            // the run in the folder "search", nil if there is none
	notes      []string           // what could not be read
}

// evaluation is what the training stores of the result on the test data beside numbers;
// a task that has no classes leaves these out.
type evaluation struct {
	Parameters int64    `json:"parameters"`
	Confusion  [][]int  `json:"confusion"`
	Classes    []string `json:"classes"`
	// Activity is nil in the folders of older versions.
	Activity *graph.Activity `json:"activity,omitempty"`
}

// load reads a run folder and the search in it.
func load(dir string) (*source, error) {
	s, err := loadOne(dir)
	if err != nil {
		return nil, err
	}
	if s.search, err = loadOne(s.folder.Path(searchDir)); !errors.Is(err, run.ErrNotRun) {
		s.tolerate(err)
	}
	return s, nil
}

// loadOne reads a run folder. Only what makes a folder a run must be there.
func loadOne(dir string) (*source, error) {
	folder, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	s := &source{folder: folder, task: registry.Of(folder.Config())}
	s.report = s.task.Report(folder.Config())
	s.records, err = run.ReadMetrics(folder.Path(run.MetricsFile))
	s.tolerate(err)
	s.loadGenotype()
	s.loadEvaluation()
	if found, err := os.Stat(folder.Path(run.ModelFile)); err == nil {
		s.model = found.Size()
	}
	return s, nil
}

// tolerate keeps an error as a note; a missing file is not worth one.
func (s *source) tolerate(err error) {
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.notes = append(s.notes, err.Error())
	}
}

func (s *source) loadGenotype() {
	g, err := genotype.Load(s.folder.Path(run.GenotypeFile))
	if err != nil {
		s.tolerate(err)
		return
	}
	s.genotype = &g
}

func (s *source) loadEvaluation() {
	text, err := os.ReadFile(s.folder.Path(evaluationFile))
	if err != nil {
		s.tolerate(err)
		return
	}
	var e evaluation
	measured, err := s.task.Evaluation(text)
	if err = errors.Join(err, json.Unmarshal(text, &e)); err != nil {
		s.tolerate(fmt.Errorf("%s: %w", s.folder.Path(evaluationFile), err))
		return
	}
	if !e.sound() {
		s.tolerate(fmt.Errorf("%s: the confusion matrix is not a square of counts", s.folder.Path(evaluationFile)))
		e.Confusion = nil
	}
	if e.Activity != nil && !sound(e.Activity) {
		s.tolerate(fmt.Errorf("%s: firing rates must be 0 to 1 and energies numbers", s.folder.Path(evaluationFile)))
		e.Activity = nil
	}
	s.measured, s.evaluation = measured, &e
}

// name is what the run is called: its configured name or its folder's.
func (s *source) name() string {
	if name := s.folder.Config().Run.Name; name != "" {
		return name
	}
	full, err := filepath.Abs(s.folder.Dir())
	if err != nil {
		full = s.folder.Dir()
	}
	return filepath.Base(full)
}
