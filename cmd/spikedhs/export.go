package main

import (
	"cmp"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/run"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write the network of a run as TorchScript",
		Flags: reporting(
			runFlag(), checkpointFlag(), outFlag("a file; without it model.pt in the run folder", ""),
			&cli.BoolFlag{Name: "check", Usage: "load the file back and compare it with the network"},
			whole("check-images", "compare on `N` test images, where the network names classes", 1, 1000),
			deviceFlag(),
		),
		Action: func(c *cli.Context) error {
			o := newConsole(c)
			trained, err := openTrained(c)
			if err != nil {
				return err
			}
			defer trained.Close()
			check := 0
			if c.Bool("check") {
				check = c.Int("check-images")
			}
			result, err := export(c, o, trained, cmp.Or(c.String("out"), filepath.Join(c.String("run"), run.ModelFile)), check)
			if err != nil {
				return err
			}
			return o.object(result)
		},
	}
}

// export writes the model and, if check is above 0, compares on so many examples. It
// returns the result as one object.
func export(c *cli.Context, o *console, trained *train.Trained, output string, check int) (map[string]any, error) {
	if err := trained.Network.Export(output, version, trained.Score); err != nil {
		return nil, err
	}
	result := map[string]any{"model": output}
	if trained.Score != nil {
		key := trained.Task.Score().Key
		if trained.Validated {
			key = "validation_" + key
		}
		result[key] = *trained.Score
	}
	o.printf("model     %s (%s): %s\n", output, size(output), trained.Network.Takes())
	if check == 0 {
		return result, nil
	}
	agreement, err := trained.Network.Check(c.Context, output, check)
	if err != nil {
		return nil, err
	}
	result["check"] = agreement
	o.printf("check     %s\n", agreement)
	return result, nil
}
