// Package classify is the task of naming classes: of images, and of recordings of event
// cameras. It also exports such networks and runs what was exported.
package classify

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
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

// Evaluation reads an [Evaluation].
func (Task) Evaluation(text []byte) (task.Evaluation, error) {
	var e Evaluation
	err := json.Unmarshal(text, &e)
	return e, err
}

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

// problem is the task with the data sets of a run.
type problem struct {
	c    *config.Config
	sets *images
}

func (p *problem) About() string     { return "search on " + p.c.Data.Name }
func (p *problem) FoundName() string { return "searched on " + p.c.Data.Name }

// Watched are the images put aside, where there are some.
func (p *problem) Watched() task.Part {
	if p.sets.validation != nil {
		return task.Validation
	}
	return task.Test
}

// Training are the augmented training images.
func (p *problem) Training(d torch.Device) (*task.Loader, error) {
	return p.sets.trainingLoader(d, p.c, p.sets.train, p.c.Train.Batch, uint64(p.c.Run.Seed), data.Augment{
		CropPadding: p.c.Train.CropPadding, Flip: p.c.Train.Flip, Cutout: p.c.Train.Cutout,
	})
}

// Halves are two disjoint halves of the training images.
func (p *problem) Halves(d torch.Device) (a, b *task.Loader, err error) {
	c, set := p.c, p.sets.train
	if c.Search.Images > 0 && c.Search.Images < set.Len() {
		if set, err = data.Take(set, c.Search.Images, uint64(c.Run.Seed)); err != nil {
			return nil, nil, err
		}
	}
	first, second := data.Halves(set, uint64(c.Run.Seed))
	half := func(set data.Dataset, seed uint64) (*task.Loader, error) {
		return p.sets.trainingLoader(d, c, set, c.Search.Batch, seed, data.Augment{CropPadding: c.Train.CropPadding, Flip: c.Train.Flip})
	}
	if a, err = half(first, uint64(c.Run.Seed)); err != nil {
		return nil, nil, err
	}
	if b, err = half(second, uint64(c.Run.Seed)+1); err != nil {
		_ = a.Close() // what failed is told
		return nil, nil, err
	}
	return a, b, nil
}

// Supernet is that of the fixed levels, or of the trellis where levels are searched.
func (p *problem) Supernet(d torch.Device, precision search.Precision) (task.Supernet, error) {
	return newSupernet(p.c, d, SearchOptions(p.c, p.sets.channels, len(p.sets.train.Classes()), precision), p.sets)
}

// Network is that of a genotype.
func (p *problem) Network(d torch.Device, precision search.Precision, g genotype.Genotype) (task.Network, error) {
	n, err := NewNetwork(d, g, p.c, TrainOptions(p.c, p.sets.channels, len(p.sets.train.Classes()), precision))
	if err != nil {
		return nil, err
	}
	n.problem = p
	return n, nil
}

// Adopt makes the network of a configuration the one of a genotype: its nodes and
// its down-sampling replace the configured ones, whatever data set it was searched
// on, and so does its path replace network.levels where it follows one
// ([genotype.Genotype.FollowsPath]); where they differ, log is told. All else, such
// as width, stem, steps and data, is the configuration's; a path in a genotype that
// does not follow it is a record and changes nothing. The error is that of a
// configuration which is not valid with it.
func (Task) Adopt(c *config.Config, g genotype.Genotype, log *slog.Logger) error {
	before := c.Network
	moved := g.FollowsPath() && !slices.Equal(before.Levels, g.Path())
	if before.Nodes == g.Normal().Nodes && before.Downsample == string(g.Downsample()) && !moved {
		return nil
	}
	c.Network.Nodes, c.Network.Downsample = g.Normal().Nodes, string(g.Downsample())
	if moved {
		c.Network.Levels = slices.Clone(g.Path())
	}
	if err := c.Validate(); err != nil {
		return fmt.Errorf("train: genotype %s: %w", g.Name, err)
	}
	if moved {
		log.Info("the levels are the path of the genotype", "genotype", g.Name, "levels", c.Network.Levels, "configured_levels", before.Levels)
	}
	if before.Nodes != c.Network.Nodes || before.Downsample != c.Network.Downsample {
		log.Info("the genotype decides nodes and down-sampling", "genotype", g.Name, "nodes", c.Network.Nodes, "configured_nodes", before.Nodes,
			"downsample", c.Network.Downsample, "configured_downsample", before.Downsample)
	}
	return nil
}

// Draw draws cells and, in a search of layers, paths.
func (Task) Draw(c *config.Config, n int) ([]genotype.Genotype, error) {
	if seed := uint64(c.Run.Seed); c.Search.LayerSearch {
		return genotype.RandomSetOnPath(seed, n, c.Network.Nodes, len(c.Network.Levels), c.Search.TrellisLevels, c.Search.Candidates()...)
	}
	return genotype.RandomSet(uint64(c.Run.Seed), n, c.Network.Nodes, genotype.Downsample(c.Network.Downsample), c.Search.Candidates()...)
}
