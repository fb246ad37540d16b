package main

import (
	"maps"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/run"
)

func searchCommand() *cli.Command {
	return &cli.Command{
		Name:  "search",
		Usage: "search an architecture; leaves genotype.json in the run folder",
		Flags: runFlags("runs/search", maxStepsFlag(runSteps),
			&cli.IntFlag{Name: "random", DefaultText: "none", Usage: "search nothing: draw `N` different genotypes of the search space, with --seed, into genotypes/ of the run folder", Action: atLeast("random", 1)},
		),
		Action: func(c *cli.Context) error {
			o := newConsole(c)
			cfg, err := loadConfig(c, "")
			if err != nil {
				return err
			}
			if c.IsSet("random") {
				return drawRandom(c, o, cfg)
			}
			found, err := train.Search(c.Context, newJob(c, o, cfg))
			if err != nil {
				return err
			}
			return printSearch(o, found)
		},
	}
}

// printSearch says what a search found and where it lies.
func printSearch(o *console, found *train.SearchResult) error {
	dir, drawings := found.Folder.Dir(), []string{train.DrawingSVG, train.DrawingDOT}
	o.printf("%s\n", genotype.Text(found.Genotype))
	o.printf("genotype  %s\n", found.Folder.Path(run.GenotypeFile))
	o.printf("drawings  %s, %s\n", found.Folder.Path(drawings[0]), found.Folder.Path(drawings[1]))
	object := map[string]any{
		"out": dir, "genotype": found.Genotype, "hash": found.Genotype.Hash(),
		"file": filepath.Join(dir, run.GenotypeFile), "drawings": drawings,
	}
	_, detail := found.Task.Describe(found.Genotype)
	maps.Copy(object, detail)
	return o.object(object)
}
