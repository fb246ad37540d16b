package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/stream"
)

// stereoModel is the network of --model or --run in its inference form.
func stereoModel(c *cli.Context) (*stream.Model, error) {
	file, dir := c.String("model"), c.String("run")
	if (file == "") == (dir == "") {
		return nil, usagef("%s: give one of --model and --run; see %s --help", commandName(c), c.Command.HelpName)
	}
	if dir != "" {
		return stereoOfRun(c)
	}
	device, err := torch.ParseDevice(deviceName(c))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); err != nil {
		return nil, existing(err)
	}
	if err := train.SetKernels(&config.Default().Run); err != nil {
		return nil, err
	}
	return stream.Load(file, device)
}

// stereoOfRun folds the network of --run, with the cameras of the run's data where
// these are at hand.
func stereoOfRun(c *cli.Context) (*stream.Model, error) {
	if yes, err := runIsStereo(c); err != nil {
		return nil, err
	} else if !yes {
		return nil, usagef("%s: %s is a run of image classification, not of stereo", commandName(c), c.String("run"))
	}
	trained, err := train.OpenStereo(c.Context, c.String("run"), c.String("checkpoint"), c.String("device"))
	if err != nil {
		return nil, err
	}
	about := stream.About{
		Version: version, Dataset: filepath.Base(trained.Config.Data.Path), Validation: trained.Validation,
	}
	if set, err := stereo.Open(trained.Config.Data.Path, stereo.Options{Cache: "none", Memory: -1}); err == nil {
		about.Rig = set.Rig()
	}
	m, err := stream.New(trained.Network, about)
	return m, errors.Join(err, trained.Close())
}

// exportedStereo is the result of the export of a stereo network as one object.
type exportedStereo struct {
	Model      string            `json:"model"`
	Validation *float64          `json:"validation_one_pixel_accuracy,omitempty"`
	Check      *stream.Agreement `json:"check,omitempty"`
}

// exportStereo writes the network of --run as an archive that can be stepped.
func exportStereo(c *cli.Context, o *console) error {
	m, err := stereoOfRun(c)
	if err != nil {
		return err
	}
	defer m.Close()
	result := exportedStereo{Model: c.String("output"), Validation: m.Info.Validation}
	if result.Model == "" {
		result.Model = filepath.Join(c.String("run"), run.ModelFile)
	}
	if err := m.Export(result.Model); err != nil {
		return err
	}
	o.printf("model     %s (%s): step(left, right, state) takes float32 [N, %d, %d, %d] twice, gives disparity and state\n",
		result.Model, size(result.Model), m.Info.Channels, m.Info.Height, m.Info.Width)
	if c.Bool("check") {
		agreement, err := m.Check(result.Model)
		if err != nil {
			return err
		}
		result.Check = &agreement
		o.printf("check     a window of %d stacks: largest difference of a disparity %.2g px\n", agreement.Steps, agreement.MaxDifference)
	}
	return o.object(result)
}
