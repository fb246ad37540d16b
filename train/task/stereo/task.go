// Package stereo is the task of event-based stereo: the disparity of the events of two
// cameras (section 4.2).
package stereo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// Task is the task.
type Task struct{}

// Name is "stereo".
func (Task) Name() string { return "stereo" }

// Owns tells whether the data are stereo recordings.
func (Task) Owns(c *config.Config) bool { return c.IsStereo() }

// Score is the accuracy within one pixel.
func (Task) Score() task.Score { return task.Score{Key: "one_pixel_accuracy", Words: "1PA"} }

// Subnets of a genotype.
func (Task) Subnets() []string { return []string{stereo.Feature, stereo.Matching} }

// Draw refuses: nothing compares with drawn stereo networks yet.
func (Task) Draw(*config.Config, int) ([]genotype.Genotype, error) {
	return nil, fmt.Errorf("%w: genotypes are drawn for image classification, not for stereo", config.ErrInvalid)
}

// Adopt has nothing to do: a genotype is cells and paths, and no key says either.
func (Task) Adopt(*config.Config, genotype.Genotype, *slog.Logger) error { return nil }

// Describe tells the paths.
func (Task) Describe(g genotype.Genotype) (string, map[string]any) {
	feature, matching := g.Subnet(stereo.Feature).Path, g.Subnet(stereo.Matching).Path
	return fmt.Sprintf("paths %v and %v", feature, matching), map[string]any{"feature_path": feature, "matching_path": matching}
}

// Open reads the recordings of a configuration; those of a trained network when they are
// asked for.
func (Task) Open(_ context.Context, c *config.Config, phase task.Phase, log *slog.Logger) (task.Problem, error) {
	p := &problem{c: c, log: log}
	if phase != task.Use {
		if _, err := p.recordings(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Evaluation reads an [Evaluation].
func (Task) Evaluation(text []byte) (task.Evaluation, error) {
	var e Evaluation
	err := json.Unmarshal(text, &e)
	return e, err
}

// problem is the task with the recordings of a run.
type problem struct {
	c      *config.Config
	log    *slog.Logger
	opened *recordings // nil: not yet
}

// recordings are the data, which are opened once.
func (p *problem) recordings() (*recordings, error) {
	if p.opened == nil {
		var err error
		if p.opened, err = openRecordings(p.c, p.log); err != nil {
			return nil, err
		}
	}
	return p.opened, nil
}

// eventBins is the number of bins of a stack, the channels of a view.
const eventBins = 5

// channels are those of the recordings, where these are open.
func (p *problem) channels() int {
	if p.opened == nil {
		return eventBins
	}
	return p.opened.set.Channels()
}

func (p *problem) About() string   { return "search of stereo, split " + p.c.Stereo.Split }
func (*problem) FoundName() string { return "searched on stereo scenes" }

// Watched are the validation frames, where there are some.
func (p *problem) Watched() task.Part {
	if p.opened == nil || len(p.opened.parts.Validation) == 0 {
		return ""
	}
	return task.Validation
}

// Training are the windows of the training frames.
func (p *problem) Training(d torch.Device) (*task.Loader, error) {
	r, err := p.recordings()
	if err != nil {
		return nil, err
	}
	return r.trainingLoader(d, p.c, r.parts.Train, p.c.Stereo.Steps, p.c.Train.Batch, uint64(p.c.Run.Seed))
}

// Halves are blocks of the training frames in turn.
func (p *problem) Halves(d torch.Device) (a, b *task.Loader, err error) {
	r, err := p.recordings()
	if err != nil {
		return nil, nil, err
	}
	c := p.c
	first, second := data.Halves(evenly(r.parts.Train, c.Search.Images), c.Stereo.HalvesBlock)
	if len(second) == 0 {
		return nil, nil, fmt.Errorf("%w: stereo.halves_block = %d: %d training frames are not enough for sets A and B; set it lower or give more scenes",
			config.ErrInvalid, c.Stereo.HalvesBlock, len(first))
	}
	if a, err = r.trainingLoader(d, c, first, searchSteps(c), c.Search.Batch, uint64(c.Run.Seed)); err != nil {
		return nil, nil, err
	}
	if b, err = r.trainingLoader(d, c, second, searchSteps(c), c.Search.Batch, uint64(c.Run.Seed)+1); err != nil {
		return nil, nil, errors.Join(err, a.Close())
	}
	return a, b, nil
}

// Supernet is that of both subnets.
func (p *problem) Supernet(d torch.Device, precision search.Precision) (task.Supernet, error) {
	return NewSupernet(d, p.c, SearchOptions(p.c, p.channels(), precision))
}

// Network is that of a genotype.
func (p *problem) Network(d torch.Device, precision search.Precision, g genotype.Genotype) (task.Network, error) {
	n, err := NewNetwork(d, g, p.c, TrainOptions(p.c, p.channels(), precision))
	if err != nil {
		return nil, err
	}
	n.problem = p
	return n, nil
}
