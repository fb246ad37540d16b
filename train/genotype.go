package train

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// genotype finds the architecture to train: that of the run folder when a run is
// resumed, else the configured one.
func (j *Job) genotype() (genotype.Genotype, error) {
	if j.Resume {
		return genotype.Load(filepath.Join(j.Out, run.GenotypeFile))
	}
	if j.Config.Train.Genotype == "" {
		return genotype.Genotype{}, fmt.Errorf("%w: train.genotype is empty; name a preset (%v) or a genotype.json of a search with --genotype",
			config.ErrInvalid, genotype.Presets(j.task.Subnets()...))
	}
	return registry.Genotype(j.task, j.Config.Train.Genotype)
}

// adopt makes the network of the job's configuration, of which it takes a copy, the one
// of a genotype. A resumed run did it when it began, and so did who made the folder.
func (j *Job) adopt(g genotype.Genotype) error {
	if j.Resume || j.Folder != nil {
		return nil
	}
	c := *j.Config
	if err := j.task.Adopt(&c, g, j.Log); err != nil {
		return err
	}
	j.Config = &c
	return nil
}

// adoptRecorded makes a configuration that is given with a resumed run comparable
// with the run's own, which adopted its genotype when it began.
func (j *Job) adoptRecorded() error {
	if j.Config == nil {
		return nil
	}
	g, err := genotype.Load(filepath.Join(j.Out, run.GenotypeFile))
	if err != nil {
		return nil // opening the run says what is wrong with it
	}
	c := *j.Config
	j.Config = &c
	return registry.Of(j.Config).Adopt(j.Config, g, j.Log)
}

// Names of the drawings beside genotype.json.
const (
	DrawingSVG = "genotype.svg"
	DrawingDOT = "genotype.dot"
)

// writeGenotype writes a genotype and its drawings into a run folder.
func writeGenotype(folder *run.Folder, g genotype.Genotype) error {
	if err := g.Save(folder.Path(run.GenotypeFile)); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	for name, draw := range map[string]func(io.Writer, genotype.Genotype) error{
		DrawingSVG: genotype.SVG, DrawingDOT: genotype.DOT,
	} {
		if err := folder.Write(name, func(w io.Writer) error { return draw(w, g) }); err != nil {
			return fmt.Errorf("train: draw genotype: %w", err)
		}
	}
	return nil
}
