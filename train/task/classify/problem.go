package classify

import (
	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

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
