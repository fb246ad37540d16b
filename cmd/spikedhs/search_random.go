package main

import (
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/reproduce"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

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
