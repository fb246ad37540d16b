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

// stereoModel is the network of --model or --run in its inference form; that of a run has
// the cameras of the run's data where these are at hand.
func stereoModel(c *cli.Context) (*stream.Model, error) {
	file, dir := c.String("model"), c.String("run")
	switch {
	case (file == "") == (dir == ""):
		return nil, usagef("%s: give one of --model and --run; see %s --help", commandName(c), c.Command.HelpName)
	case file != "":
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
	trained, err := openTrained(c)
	if err != nil {
		return nil, err
	}
	n, ok := trained.Network.(*stereo.Network)
	if !ok {
		return nil, errors.Join(usagef("%s: %s is a run of %s, not of stereo", commandName(c), dir, trained.Task.Name()), trained.Close())
	}
	m, err := n.Model(version, trained.Score)
	return m, errors.Join(err, trained.Close())
}
