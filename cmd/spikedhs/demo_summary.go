package main

import (
	"time"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// summary says where everything lies, what was reached, and what to try next.
func (d *demo) summary(e classify.Evaluation, model map[string]any, report string) error {
	seconds := time.Since(d.began).Seconds()
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
	d.printf("  model     %s\n", model["model"])
	d.printf("  report    %s\n", report)
	d.printf("\nNext:\n\n")
	name := d.folder.Config().Data.Name
	d.printf("  spikedhs infer --model %s --dataset %s --index 0-4\n", model["model"], name)
	d.printf("  spikedhs train --config fashion-mnist --genotype %s --out runs/fashion-mnist\n", found)
	d.printf("  spikedhs config list\n")
	return d.object(map[string]any{
		"out": d.out, "evaluation": e, "genotype": g, "model": model, "report": report, "seconds": seconds,
	})
}
