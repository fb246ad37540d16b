package main

import (
	"errors"
	"os"

	"github.com/urfave/cli/v2"

	network "github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/stereo/stream"
	"github.com/spikedhs/spikedhs/train/task/stereo"
)

func init() {
	userErrors = append(userErrors, stream.ErrModel, stream.ErrPackets, stream.ErrWindow, network.ErrOptions)
}

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
	trained, err := openTrained(c)
	if err != nil {
		return nil, err
	}
	n, ok := trained.Network.(*stereo.Network)
	if !ok {
		return nil, errors.Join(usagef("%s: %s is a run of %s, not of stereo", commandName(c), c.String("run"), trained.Task.Name()), trained.Close())
	}
	m, err := n.Model(version, trained.Score)
	return m, errors.Join(err, trained.Close())
}
