package main

import (
	"maps"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/reproduce"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

func searchCommand() *cli.Command {
	return &cli.Command{
		Name:  "search",
		Usage: "search an architecture; leaves genotype.json in the run folder",
		Flags: runFlags("runs/search", maxStepsFlag(runSteps),
			whole("random", "search nothing: draw `N` different genotypes of the search space, with --seed, into genotypes/ of the run folder", 1, 0, "none"),
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

// genotypesFolder is the place of drawn genotypes in a run folder.
const genotypesFolder = "genotypes"

// drawRandom draws genotypes of the search space into a new run folder: those that a
// searched one is compared with. A search of layers has paths in its space, too.
func drawRandom(c *cli.Context, o *console, cfg *config.Config) error {
	for _, flag := range []string{"resume", "max-steps"} {
		if c.IsSet(flag) {
			return usagef("search: --random trains nothing, so there is no --%s; leave it out", flag)
		}
	}
	job := newJob(c, o, cfg)
	set, err := registry.Of(cfg).Draw(cfg, c.Int("random"))
	if err != nil {
		return err
	}
	folder, err := createRun(job)
	if err != nil {
		return err
	}
	dir := folder.Path(genotypesFolder)
	if err := reproduce.SaveGenotypes(dir, set); err != nil {
		return err
	}
	if err := folder.MarkEnded(time.Now()); err != nil {
		return err
	}
	type drawn struct {
		File string `json:"file"`
		Hash string `json:"hash"`
	}
	var list []drawn
	for _, g := range set {
		list = append(list, drawn{filepath.Join(dir, g.Name+".json"), g.Hash()})
		o.printf("%s  %s\n", list[len(list)-1].Hash, list[len(list)-1].File)
	}
	o.printf("next      spikedhs train --genotype %s\n", list[0].File)
	return o.object(map[string]any{"out": job.Out, "genotypes": list})
}
