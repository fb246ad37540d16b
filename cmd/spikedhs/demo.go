package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/report"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

const (
	demoPreset = "fashion-mnist-demo"
	demoSearch = "search" // folder of the search inside the run folder
	demoCheck  = 1000     // test images that the exported model is compared on
)

func demoCommand() *cli.Command {
	return command("demo",
		"search, train, evaluate and export a small network on Fashion-MNIST",
		runDemo, runFlags("runs/demo", baseURLFlag(),
			&cli.BoolFlag{Name: "fetch", Usage: "fetch the data where it is missing, without asking"}))
}

func runDemo(c *cli.Context) error {
	d := &demo{c: c, console: newConsole(c), out: c.String("out"), began: time.Now()}
	for _, part := range []func() error{d.open, d.search, d.train, d.measure} {
		switch err := part(); {
		case errors.Is(err, train.ErrInterrupted): // told of the whole demo
			return fmt.Errorf("demo in %s: %w", d.out, train.ErrInterrupted)
		case err != nil:
			return err
		}
	}
	return nil
}

// demo is the whole way: search, training, evaluation, export.
type demo struct {
	*console
	c      *cli.Context
	out    string
	folder *run.Folder
	began  time.Time
}

func (d *demo) heading(number int, text string) {
	d.printf("\n%d/4  %s\n\n", number, text)
}

// open makes the run folder, before anything is computed, or finds it.
func (d *demo) open() error {
	cfg, err := loadConfig(d.c, demoPreset)
	if err != nil {
		return err
	}
	if cfg != nil {
		if cfg.Search.LayerSearch {
			return usagef("demo: it searches cells on fixed levels; leave search.layer_search out, or run spikedhs search and spikedhs train")
		}
		cfg.Train.Genotype = filepath.Join(d.out, demoSearch, run.GenotypeFile)
	}
	if d.c.Bool("resume") {
		if d.folder, err = run.Open(d.out); err != nil {
			return err
		}
		if cfg != nil {
			if keys := config.Diff(cfg, d.folder.Config()); len(keys) > 0 {
				return usagef("the run in %s was started with other values of %v; leave them out to continue it", d.out, keys)
			}
		}
		return d.haveData(d.folder.Config())
	}
	if err := d.haveData(cfg); err != nil {
		return err
	}
	d.folder, err = createRun(newJob(d.c, d.console, cfg))
	return err
}

// search finds the architecture, unless an earlier run did.
func (d *demo) search() error {
	d.heading(1, "Search an architecture")
	job := newJob(d.c, d.console, d.folder.Config())
	job.Out = filepath.Join(d.out, demoSearch)
	job.Resume = exists(job.Out)
	if earlier, err := run.Open(job.Out); err == nil && !earlier.Info().Ended.IsZero() {
		g, err := genotype.Load(earlier.Path(run.GenotypeFile))
		if err == nil {
			d.printf("%s\n", genotype.Text(g))
		}
		return err
	}
	found, err := train.Search(d.c.Context, job)
	if err != nil && !exists(job.Out) { // it never began: the folder that was made for it goes, too
		return errors.Join(err, os.RemoveAll(d.out))
	}
	if err != nil {
		return err
	}
	d.printf("%s\n", genotype.Text(found.Genotype))
	return nil
}

// train trains the network of the genotype that was found.
func (d *demo) train() error {
	d.heading(2, "Train its network")
	job := newJob(d.c, d.console, d.folder.Config())
	job.Resume = exists(d.folder.Path(run.CheckpointDir, train.CheckpointFile))
	if !job.Resume {
		job.Folder = d.folder
	}
	trained, err := train.Train(d.c.Context, job)
	if err != nil {
		return err
	}
	d.printf("trained for %s steps\n", thousands(trained.Steps))
	return nil
}

// measure evaluates and exports the trained network, and ends the demo.
func (d *demo) measure() error {
	trained, err := train.Open(d.c.Context, d.out, "", "")
	if err != nil {
		return err
	}
	defer trained.Close()
	d.heading(3, "Evaluate it on the test images")
	measured, err := trained.Evaluate(d.c.Context, d.progress)
	if err != nil {
		return err
	}
	if !d.json {
		measured.Write(d)
	}
	e := measured.(classify.Evaluation)
	d.heading(4, "Export it as TorchScript and compare")
	trained.Score = &e.Top1
	model, err := export(d.c, d.console, trained, d.folder.Path(run.ModelFile), demoCheck)
	if err != nil {
		return err
	}
	if err := report.WriteFile(d.folder.Path(run.ReportFile), d.out); err != nil { // that of the search is part of it
		return err
	}
	return d.summary(e, model)
}

// summary says where everything lies, what was reached, and what to try next.
func (d *demo) summary(e classify.Evaluation, model map[string]any) error {
	seconds, report := time.Since(d.began).Seconds(), d.folder.Path(run.ReportFile)
	found := d.folder.Path(demoSearch, run.GenotypeFile)
	g, err := genotype.Load(found)
	if err != nil {
		return err
	}
	d.printf("\nDone in %s: top-1 %.2f %% on %s test images, %s parameters.\n\n",
		time.Duration(seconds*float64(time.Second)).Round(time.Second), e.Top1, thousands(e.Images), thousands(e.Parameters))
	d.printf("  run       %s\n", d.out)
	d.printf("  genotype  %s (drawing: %s)\n", found, d.folder.Path(demoSearch, train.DrawingSVG))
	d.printf("  weights   %s\n", d.folder.Path(run.CheckpointDir, train.CheckpointFile))
	d.printf("  model     %s\n  report    %s\n\nNext:\n\n", model["model"], report)
	d.printf("  spikedhs infer --model %s --dataset %s --index 0-4\n", model["model"], d.folder.Config().Data.Name)
	d.printf("  spikedhs train --config fashion-mnist --genotype %s --out runs/fashion-mnist\n", found)
	d.printf("  spikedhs config list\n")
	return d.object(map[string]any{
		"out": d.out, "evaluation": e, "genotype": g, "model": model, "report": report, "seconds": seconds,
	})
}

// exists reports whether there is something at path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
