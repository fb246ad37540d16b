// Package classify is the task of naming classes: of images, and of recordings of event
// cameras. It also exports such networks and runs what was exported.
package classify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// Task is the task.
type Task struct{}

// Name is "image classification".
func (Task) Name() string { return "image classification" }

// Owns is true: what no other task owns is about classes.
func (Task) Owns(*config.Config) bool { return true }

// Score is the top-1 accuracy.
func (Task) Score() task.Score { return task.Score{Key: "top1", Words: "top-1"} }

// Course is that of the paper: SGD, a cosine.
func (Task) Course(*config.Config) task.Course { return task.Course{Optimizer: "sgd"} }

// Presets are the genotypes for images.
func (Task) Presets() []string { return genotype.Presets(genotype.Normal) }

// Resolve is the genotype of a preset or a file.
func (Task) Resolve(name string) (task.Genotype, error) {
	g, err := genotype.Resolve(name)
	if err == nil && !g.Has(genotype.Normal) {
		err = fmt.Errorf("%w: %s has no cell named %q; it is no genotype for image classification", config.ErrInvalid, name, genotype.Normal)
	}
	return g, err
}

// Load is the genotype of a file.
func (Task) Load(path string) (task.Genotype, error) { return genotype.Load(path) }

// Adopt makes the network of a configuration the one of a genotype; see [Adopt].
func (Task) Adopt(c *config.Config, g task.Genotype, log *slog.Logger) error {
	return Adopt(c, g.(genotype.Genotype), log)
}

// Names of the drawings of a genotype.
const (
	DrawingSVG = "genotype.svg"
	DrawingDOT = "genotype.dot"
)

// Describe shows a genotype to people.
func (Task) Describe(of task.Genotype) task.Description {
	g := of.(genotype.Genotype)
	line := fmt.Sprintf("%s (%s), %d nodes, down-sampling: %s", g.Name, g.Hash(), g.Normal().Nodes, g.Downsample())
	if g.FollowsPath() {
		line += fmt.Sprintf("\npath      %v: the levels of the cells, from the genotype", g.Path())
	}
	name := "Normal cell"
	if g.Reduction() == nil {
		name = "Cell"
	}
	cells := []task.Equations{{Name: name, Lines: g.Normal().Equations()}}
	if g.Reduction() != nil {
		cells = append(cells, task.Equations{Name: "Reduction cell", Lines: g.Reduction().Equations()})
	}
	return task.Description{Name: g.Name, Line: line, Text: genotype.Text(g), Origin: g.Origin, Cells: cells, Drawings: []task.Drawing{
		{Name: DrawingSVG, Draw: func(w io.Writer) error { return genotype.SVG(w, g) }},
		{Name: DrawingDOT, Draw: func(w io.Writer) error { return genotype.DOT(w, g) }},
	}}
}

// Open reads the data sets of a configuration.
func (Task) Open(ctx context.Context, c *config.Config, phase task.Phase, log *slog.Logger) (task.Problem, error) {
	steps := c.Network.Steps
	if phase == task.Search {
		steps = searchSteps(c)
	}
	sets, err := openImages(ctx, c, steps, log)
	if err != nil {
		return nil, err
	}
	return &problem{c, sets}, nil
}

// Evaluation reads an [Evaluation].
func (Task) Evaluation(text []byte) (task.Evaluation, error) {
	var e Evaluation
	err := json.Unmarshal(text, &e)
	return e, err
}
