package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/mvsec"
)

func dataConvertCommand() *cli.Command {
	return &cli.Command{
		Name:  "convert-mvsec",
		Usage: "make the folder of a sequence from MVSEC's HDF5 files",
		Flags: reporting(
			eventsFlag("a file such as indoor_flying1_data.hdf5"),
			text("gt", "`FILE` with the depth, such as indoor_flying1_gt.hdf5"),
			text("calib", "folder `DIR` of the rectification maps, such as indoor_flying_calib"),
			outFlag("folder to fill, such as mvsec/indoor_flying_1; frames that are there already are kept", ""),
		),
		Action: dataConvertMVSEC,
	}
}

func dataConvertMVSEC(c *cli.Context) error {
	o := newConsole(c)
	options := mvsec.Options{Log: o.log, Progress: counter(o.progress, "convert", "frames")}
	for _, path := range []struct {
		flag string
		to   *string
	}{{"events", &options.Data}, {"gt", &options.GT}, {"calib", &options.Calib}, {"out", &options.Out}} {
		var err error
		if *path.to, err = required(c, path.flag); err != nil {
			return err
		}
	}
	result, err := mvsec.Convert(c.Context, options)
	if o.ended(err, fmt.Sprintf("%d frames kept", result.Kept)) != nil {
		return err
	}
	o.printf("%s: %d frames, of which %d were there; %d events of the others, %d outside of the rectified picture\n",
		options.Out, result.Frames, result.Kept, result.Counts.Events, result.Outside)
	return o.object(map[string]any{
		"folder": options.Out, "frames": result.Frames, "kept": result.Kept, "events": result.Counts.Events, "outside": result.Outside,
		"unsorted": result.Counts.Unsorted, "out_of_frame": result.Counts.OutOfFrame, "bad_polarity": result.Counts.BadPolarity,
		"frames_without_label": result.Counts.Unlabelled,
	})
}
