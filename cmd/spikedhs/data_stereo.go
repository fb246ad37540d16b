package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/synth"
)

func init() { dataCommands = append(dataCommands, stereoDataCommands) }

// stereoDataCommands make, convert and show recordings of two event cameras.
func stereoDataCommands() []*cli.Command {
	return []*cli.Command{
		{
			Name:  "synth",
			Usage: "make scenes for event stereo, with exact disparity",
			Flags: slices.Concat([]cli.Flag{
				&cli.StringFlag{Name: "preset", Value: "small", Usage: "`NAME` of the cameras: small (132 x 96), dvs128 (128 x 128) or full (346 x 260, like MVSEC)", Action: oneOf("preset", synth.Presets()...)},
				&cli.IntFlag{Name: "scenes", Value: 20, Usage: "make `N` scenes", Action: atLeast("scenes", 1)},
				&cli.IntFlag{Name: "frames", Value: 40, Usage: "`N` frames of 50 ms in each scene", Action: atLeast("frames", 1)},
				&cli.Int64Flag{Name: "seed", Value: 1, Usage: "`N` of which all random numbers come", Action: atLeast[int64]("seed", 0)},
				&cli.StringFlag{Name: "out", Usage: "folder `DIR` to fill; scenes that are there already are kept"},
				&cli.Float64Flag{Name: "noise", Usage: "events without a cause, `HZ` for each pixel"},
				&cli.Float64Flag{Name: "plain", Usage: "`PART` of the scenes with a wall of one grey, without events, and smaller things before it"},
				&cli.Float64Flag{Name: "sigma", Value: 0.03, Usage: "`X`, standard deviation of the threshold"},
				&cli.Float64Flag{Name: "lidar-rows", Value: 1, Usage: "`PART` of the rows that have labels"},
				&cli.Float64Flag{Name: "lidar-pixels", Value: 1, Usage: "`PART` of the pixels of such a row that have labels"},
				&cli.BoolFlag{Name: "no-occlusion", Usage: "no labels where the right camera does not see the point"},
				jsonFlag(),
			}, logFlags()),
			Action: dataSynth,
		},
		{
			Name:  "convert-mvsec",
			Usage: "make the folder of a sequence from MVSEC's HDF5 files",
			Flags: slices.Concat([]cli.Flag{
				&cli.StringFlag{Name: "data", Usage: "`FILE` with the events, such as indoor_flying1_data.hdf5"},
				&cli.StringFlag{Name: "gt", Usage: "`FILE` with the depth, such as indoor_flying1_gt.hdf5"},
				&cli.StringFlag{Name: "calib", Usage: "folder `DIR` of the rectification maps, such as indoor_flying_calib"},
				&cli.StringFlag{Name: "out", Usage: "folder `DIR` to fill, such as mvsec/indoor_flying_1; frames that are there already are kept"},
				jsonFlag(),
			}, logFlags()),
			Action: dataConvertMVSEC,
		},
		{
			Name:      "preview-stereo",
			Usage:     "draw events of both views and disparity",
			ArgsUsage: "DIR|FILE",
			Flags: slices.Concat([]cli.Flag{
				&cli.StringFlag{Name: "sequence", Usage: "`NAME` of the sequence (default: the first)"},
				&cli.IntFlag{Name: "first", Usage: "first frame `N`", Action: atLeast("first", 0)},
				&cli.IntFlag{Name: "frames", Value: 40, Usage: "at most `N` frames", Action: atLeast("frames", 1)},
				&cli.IntFlag{Name: "zoom", Value: 2, Usage: "`N` x N pixels for each", Action: atLeast("zoom", 1)},
				&cli.Float64Flag{Name: "max-disparity", Usage: "`PIXELS` of the nearest colour (default: the largest label of the first frame)"},
				&cli.StringFlag{Name: "out", Value: "preview.gif", Usage: "`FILE` to write: .gif moves, .png has the first frame"},
				jsonFlag(),
			}, logFlags()),
			Action: dataPreviewStereo,
		},
	}
}
