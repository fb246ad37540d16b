package train

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// Names of the drawings beside genotype.json.
const (
	DrawingSVG = "genotype.svg"
	DrawingDOT = "genotype.dot"
)

// Adopt makes the network of a configuration the one of a genotype: its nodes and
// its down-sampling replace the configured ones, whatever data set it was searched
// on, and so does its path replace network.levels where it follows one
// ([genotype.Genotype.FollowsPath]); where they differ, log is told. All else, such
// as width, stem, steps and data, is the configuration's; a path in a genotype that
// does not follow it is a record and changes nothing. The error is that of a
// configuration which is not valid with it.
func Adopt(c *config.Config, g genotype.Genotype, log *slog.Logger) error {
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

// adopt does it for a job, on a copy. A resumed run did it when it began, and so did
// who made the folder.
func (j *Job) adopt(g genotype.Genotype) error {
	if j.Resume || j.Folder != nil {
		return nil
	}
	c := *j.Config
	if err := Adopt(&c, g, j.Log); err != nil {
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
	return Adopt(j.Config, g, j.Log)
}

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
