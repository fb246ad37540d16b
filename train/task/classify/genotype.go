package classify

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
)

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
