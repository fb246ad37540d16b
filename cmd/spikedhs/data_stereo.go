package main

import (
	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/synth"
)

// pairCommands make, convert and show recordings of two event cameras.
func pairCommands() []*cli.Command {
	return []*cli.Command{
		{
			Name:  "synth",
			Usage: "make scenes for event stereo, with exact disparity",
			Flags: reporting(
				&cli.StringFlag{Name: "preset", Value: "small", Usage: "`NAME` of the cameras: small (132 x 96), dvs128 (128 x 128) or full (346 x 260, like MVSEC)", Action: oneOf("preset", synth.Presets()...)},
				&cli.IntFlag{Name: "scenes", Value: 20, Usage: "make `N` scenes", Action: atLeast("scenes", 1)},
				framesFlag("50 ms each, of every scene"),
				seedFlag(1),
				outFlag("folder to fill; scenes that are there already are kept", ""),
				&cli.Float64Flag{Name: "noise", Usage: "events without a cause, `HZ` for each pixel"},
				&cli.Float64Flag{Name: "plain", Usage: "`PART` of the scenes with a wall of one grey, without events, and smaller things before it"},
				&cli.Float64Flag{Name: "sigma", Value: 0.03, Usage: "`X`, standard deviation of the threshold"},
				&cli.Float64Flag{Name: "lidar-rows", Value: 1, Usage: "`PART` of the rows that have labels"},
				&cli.Float64Flag{Name: "lidar-pixels", Value: 1, Usage: "`PART` of the pixels of such a row that have labels"},
				&cli.BoolFlag{Name: "no-occlusion", Usage: "no labels where the right camera does not see the point"},
			),
			Action: dataSynth,
		},
		{
			Name:  "convert-mvsec",
			Usage: "make the folder of a sequence from MVSEC's HDF5 files",
			Flags: reporting(
				eventsFlag("a file such as indoor_flying1_data.hdf5"),
				&cli.StringFlag{Name: "gt", Usage: "`FILE` with the depth, such as indoor_flying1_gt.hdf5"},
				&cli.StringFlag{Name: "calib", Usage: "folder `DIR` of the rectification maps, such as indoor_flying_calib"},
				outFlag("folder to fill, such as mvsec/indoor_flying_1; frames that are there already are kept", ""),
			),
			Action: dataConvertMVSEC,
		},
		{
			Name:      "preview-stereo",
			Usage:     "draw events of both views and disparity",
			ArgsUsage: "DIR|FILE",
			Flags: reporting(
				&cli.StringFlag{Name: "sequence", DefaultText: "the first", Usage: "`NAME` of the sequence"},
				&cli.IntFlag{Name: "first", Usage: "first frame `N`", Action: atLeast("first", 0)},
				framesFlag("at most"), zoomFlag(2), sensorFlag(), maxDisparityFlag("the largest label of the first frame"),
				outFlag("a .gif moves, a .png has the first frame", "preview.gif"),
			),
			Action: dataPreviewStereo,
		},
	}
}

func framesFlag(which string) cli.Flag {
	return &cli.IntFlag{Name: "frames", Value: 40, Usage: "`N` frames: " + which, Action: atLeast("frames", 1)}
}

// eventsFlag is where the events of two cameras come from.
func eventsFlag(which string) cli.Flag {
	return &cli.StringFlag{Name: "events", Usage: "`PATH` of the events: " + which}
}

func maxDisparityFlag(otherwise string) cli.Flag {
	return &cli.Float64Flag{
		Name: "max-disparity", DefaultText: otherwise, Usage: "`PIXELS` of disparity that are the nearest colour of pictures",
		Action: func(_ *cli.Context, pixels float64) error {
			if !(pixels > 0) {
				return usagef("--max-disparity %g: choose more than 0", pixels)
			}
			return nil
		},
	}
}
