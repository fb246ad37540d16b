package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/run"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write the network of a run as TorchScript",
		Flags: slices.Concat([]cli.Flag{
			runFlag(),
			&cli.StringFlag{Name: "checkpoint", Usage: "`FILE` with the weights instead of the run's last checkpoint"},
			&cli.StringFlag{Name: "output", Usage: "`FILE` to write (default: model.pt in the run folder)"},
			&cli.BoolFlag{Name: "check", Usage: "load the file back and compare it with the network"},
			&cli.IntFlag{Name: "check-images", Value: 1000, Usage: "compare on `N` test images (a stereo network: on a window of made-up events)", Action: atLeast("check-images", 1)},
			deviceFlag(), jsonFlag(),
		}, logFlags()),
		Action: func(c *cli.Context) error {
			o := newConsole(c)
			if stereo, err := runIsStereo(c); err != nil {
				return err
			} else if stereo {
				return exportStereo(c, o)
			}
			trained, err := openTrained(c)
			if err != nil {
				return err
			}
			defer trained.Close()
			output := c.String("output")
			if output == "" {
				output = filepath.Join(c.String("run"), run.ModelFile)
			}
			check := 0
			if c.Bool("check") {
				check = c.Int("check-images")
			}
			result, err := export(c, o, trained, output, check)
			if err != nil {
				return err
			}
			return o.object(result)
		},
	}
}

// exported is the result of an export as one object.
type exported struct {
	Model string           `json:"model"`
	Top1  *float64         `json:"top1,omitempty"`
	Check *train.Agreement `json:"check,omitempty"`
}

// export writes the model and, if check is above 0, compares on so many images.
func export(c *cli.Context, o *console, trained *train.Trained, output string, check int) (exported, error) {
	result := exported{Model: output, Top1: trained.Top1}
	if err := trained.Export(output, version, trained.Top1); err != nil {
		return result, err
	}
	takes := "images in 0..1"
	if trained.Network.Options.Temporal {
		takes = fmt.Sprintf("stacks [N, T=%d, C, H, W] of events", trained.Network.Options.Steps)
	}
	o.printf("model     %s (%s): takes float32 %s, gives logits\n", output, size(output), takes)
	if check == 0 {
		return result, nil
	}
	agreement, err := trained.Check(c.Context, output, check)
	if err != nil {
		return result, err
	}
	result.Check = &agreement
	o.printf("check     %s test images: same class for %s, largest difference of a logit %.2g\n",
		thousands(agreement.Images), thousands(agreement.SameClass), agreement.MaxDifference)
	return result, nil
}
