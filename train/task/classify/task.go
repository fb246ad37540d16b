// Package classify is the task of naming classes: of images, and of recordings of event
// cameras. It also exports such networks and runs what was exported.
package classify

import (
	"context"
	"encoding/json"
	"fmt"
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

// Subnets of a genotype: the normal cells; those of the reduction may be the same.
func (Task) Subnets() []string { return []string{genotype.Normal} }

// Describe tells nodes and down-sampling, and the path where one is followed.
func (Task) Describe(g genotype.Genotype) (string, map[string]any) {
	line := fmt.Sprintf("%d nodes, down-sampling: %s", g.Normal().Nodes, g.Downsample())
	if g.FollowsPath() {
		line += fmt.Sprintf("\npath      %v: the levels of the cells, from the genotype", g.Path())
	}
	return line, nil
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
