package main

import (
	"errors"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/search/export/onnxruntime"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// Formats of exported models.
const (
	torchScript = "torchscript"
	onnxFormat  = "onnx"
)

func exportCommand() *cli.Command {
	return command("export", "write the network of a run as TorchScript or ONNX", runExport, reporting(
		runFlag(), checkpointFlag(), outFlag("a file; without it model.pt, or model.onnx, in the run folder", ""),
		&cli.StringFlag{
			Name: "format", DefaultText: "by the name of --out, else torchscript",
			Usage: "`FORMAT` of the files: torchscript or onnx", Action: oneOf("format", torchScript, onnxFormat),
		},
		&cli.BoolFlag{Name: "check", Usage: "load the file back and compare it with the network"},
		whole("check-images", "compare on `N` test images, where the network names classes", 1, 1000),
		deviceFlag(),
	))
}

func runExport(c *cli.Context) error {
	o := newConsole(c)
	output, err := exportPath(c)
	if err != nil {
		return err
	}
	trained, err := openTrained(c)
	if err != nil {
		return err
	}
	defer trained.Close()
	check := 0
	if c.Bool("check") {
		check = c.Int("check-images")
	}
	result, err := export(c, o, trained, output, check)
	if err != nil {
		return err
	}
	return o.object(result)
}

// exportPath is where the model goes; its ending says the format.
func exportPath(c *cli.Context) (string, error) {
	output, format := c.String("out"), c.String("format")
	switch {
	case output == "" && format == onnxFormat:
		return filepath.Join(c.String("run"), run.ONNXFile), nil
	case output == "":
		return filepath.Join(c.String("run"), run.ModelFile), nil
	case format != "" && (format == onnxFormat) != task.IsONNX(output):
		return "", usagef("export: --format %s --out %s: ONNX models end in .onnx, and others do not", format, output)
	}
	return output, nil
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
	if errors.Is(err, onnxruntime.ErrNotFound) {
		result["not_checked"] = err.Error()
		o.printf("check     not compared: %v\n", onnxruntime.ErrNotFound)
		return result, nil
	}
	if err != nil {
		return nil, err
	}
	result["check"] = agreement
	o.printf("check     %s\n", agreement)
	return result, nil
}
