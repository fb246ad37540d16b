package main

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
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
	return command("search",
		"search an architecture; leaves genotype.json in the run folder",
		runSearch, runFlags("runs/search", maxStepsFlag(runSteps),
			whole("random", "search nothing: draw `N` different genotypes of the search space, with --seed, into genotypes/ of the run folder", 1, 0, "none"),
		))
}

func runSearch(c *cli.Context) error {
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

func trainCommand() *cli.Command {
	return command("train",
		"train the network of a genotype",
		runTraining, runFlags("runs/train", maxStepsFlag(runSteps),
			text("genotype", "`FILE|PRESET` of the architecture; its nodes and down-sampling, and the path of a search of layers, replace the configured ones"),
		))
}

func runTraining(c *cli.Context) error {
	o := newConsole(c)
	cfg, err := loadConfig(c, "")
	if err != nil {
		return err
	}
	if err := takeGenotype(c, o, cfg); err != nil {
		return err
	}
	trained, err := train.Train(c.Context, newJob(c, o, cfg))
	if err != nil {
		return existing(err)
	}
	return printTraining(o, trained)
}

// takeGenotype makes the network of the configuration the one of its genotype, where that
// decides more than its cells. A resumed run has a copy of its genotype, so the file may
// be gone.
func takeGenotype(c *cli.Context, o *console, cfg *config.Config) error {
	if cfg == nil || cfg.Train.Genotype == "" {
		return nil
	}
	t, levels := registry.Of(cfg), cfg.Network.Levels
	g, err := registry.Genotype(t, cfg.Train.Genotype)
	switch {
	case err != nil && c.Bool("resume"):
		return nil
	case err != nil:
		return existing(err)
	}
	if err := t.Adopt(cfg, g, o.log); err != nil || slices.Equal(levels, cfg.Network.Levels) {
		return err
	}
	for _, setting := range c.StringSlice("set") {
		if key, _, _ := strings.Cut(setting, "="); strings.TrimSpace(key) == "network.levels" {
			return usagef("train: --set network.levels contradicts genotype %s, whose cells have the levels %v of its path; leave one of the two out",
				g.Name, cfg.Network.Levels)
		}
	}
	return nil
}

// printTraining says what a training reached and how to go on.
func printTraining(o *console, trained *train.TrainResult) error {
	dir, ended := trained.Folder.Dir(), !trained.Folder.Info().Ended.IsZero()
	result := map[string]any{"out": dir, "genotype": trained.Genotype.Hash(), "steps": trained.Steps, "ended": ended}
	line, _ := trained.Task.Describe(trained.Genotype)
	o.printf("genotype  %s (%s), %s\n", trained.Genotype.Name, trained.Genotype.Hash(), line)
	o.printf("steps     %s\n", thousands(trained.Steps))
	first, last, err := stepLosses(trained.Folder)
	if err != nil {
		return err
	}
	if first.steps > 0 {
		result["first_loss"], result["last_loss"] = first.loss, last.loss
		o.printf("loss      %.4f in the first %d steps", first.loss, first.steps)
		if last != first {
			o.printf(", %.4f in the last %d", last.loss, last.steps)
		}
		o.printf("\n")
	}
	if ended && trained.Score != nil {
		score := trained.Task.Score()
		result[score.Key] = *trained.Score
		o.printf("accuracy  %s %.2f %% on the test data\n", score.Words, *trained.Score)
	}
	if ended && trained.Evaluation != nil {
		result["evaluation"] = trained.Evaluation
	}
	next := fmt.Sprintf("spikedhs eval --run %s, spikedhs report %[1]s, spikedhs export --run %[1]s", dir)
	if !ended {
		next = "repeat the command with --resume and a larger --max-steps, or none, to go on"
	}
	o.printf("run       %s\nnext      %s\n", dir, next)
	return o.object(result)
}

// stepLoss is the mean loss of some steps in a row.
type stepLoss struct {
	loss  float64
	steps int64
}

// stepLosses are the first and the last loss that a training recorded, of every few steps.
func stepLosses(folder *run.Folder) (first, last stepLoss, err error) {
	path := folder.Path(run.MetricsFile)
	records, err := run.ReadMetrics(path)
	if err != nil {
		return first, last, fmt.Errorf("%s: %w", path, err)
	}
	var before int64
	for _, r := range records {
		loss, ok := r.Fields.Float("loss")
		step, known := r.Fields.Int("step")
		if r.Kind == "train_step" && ok && known {
			last = stepLoss{loss, step - before}
			first, before = cmp.Or(first, last), step
		}
	}
	return first, last, nil
}
