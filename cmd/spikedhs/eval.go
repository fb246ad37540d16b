package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/train"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "measure the network of a run on the test images: accuracy, sparsity, energy",
		Flags: slices.Concat([]cli.Flag{
			runFlag(),
			&cli.StringFlag{Name: "checkpoint", Usage: "`FILE` with the weights instead of the run's last checkpoint"},
			deviceFlag(), jsonFlag(),
		}, logFlags()),
		Action: func(c *cli.Context) error {
			o := newConsole(c)
			if stereo, err := runIsStereo(c); err != nil {
				return err
			} else if stereo {
				return evalStereo(c, o)
			}
			trained, err := openTrained(c)
			if err != nil {
				return err
			}
			defer trained.Close()
			e, err := trained.Evaluate(c.Context, o.progress)
			if err != nil {
				return err
			}
			printEvaluation(o, e)
			printActivity(o, e.Activity)
			return o.object(newEvaluated(e))
		},
	}
}

// evaluated is what --json prints: the evaluation, and beside its detail the layers
// and the energy of an image.
type evaluated struct {
	train.Evaluation
	Layers    []evaluatedLayer `json:"layers,omitempty"`
	Energy    float64          `json:"energy_mj,omitempty"`
	ANNEnergy float64          `json:"ann_energy_mj,omitempty"` // of the ANN of the same architecture
	Ratio     float64          `json:"energy_ratio,omitempty"`  // the ANN's over the network's own
}

// evaluatedLayer is a layer with the firing rate of its input.
type evaluatedLayer struct {
	graph.LayerActivity
	FiringRate float64 `json:"firing_rate"`
}

func newEvaluated(e train.Evaluation) evaluated {
	v := evaluated{Evaluation: e}
	if a := e.Activity; a != nil {
		v.Energy, v.ANNEnergy, v.Ratio = a.Energy, a.ANNEnergy, a.Ratio
		for _, l := range a.Layers {
			v.Layers = append(v.Layers, evaluatedLayer{l, l.Rate})
		}
	}
	return v
}

func runFlag() cli.Flag { return &cli.StringFlag{Name: "run", Usage: "run folder `DIR` (required)"} }

// openTrained reads the network that --run, --checkpoint and --device name.
func openTrained(c *cli.Context) (*train.Trained, error) {
	dir, err := required(c, "run")
	if err != nil {
		return nil, err
	}
	return train.Open(c.Context, dir, c.String("checkpoint"), c.String("device"))
}

// printEvaluation prints the accuracy, also of each class.
func printEvaluation(o *console, e train.Evaluation) {
	o.printf("top-1       %6.2f %%\n", e.Top1)
	o.printf("top-5       %6.2f %%\n", e.Top5)
	o.printf("loss        %8.4f nats\n", e.Loss)
	o.printf("images      %s\n", thousands(e.Images))
	o.printf("parameters  %s\n\n", thousands(e.Parameters))
	width := len("class")
	for _, name := range e.Classes {
		width = max(width, len(name))
	}
	o.printf("%-*s  images  right\n", width, "class")
	for label, row := range e.Confusion {
		images := 0
		for _, n := range row {
			images += n
		}
		if images > 0 {
			o.printf("%-*s  %6d  %6.2f %%\n", width, e.Classes[label], images, 100*float64(row[label])/float64(images))
		}
	}
}
