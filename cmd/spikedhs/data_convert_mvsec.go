package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/mvsec"
)

func dataConvertMVSEC(c *cli.Context) error {
	paths := map[string]string{}
	for _, flag := range []string{"data", "gt", "calib", "out"} {
		value, err := required(c, flag)
		if err != nil {
			return err
		}
		paths[flag] = value
	}
	o := newConsole(c)
	result, err := mvsec.Convert(c.Context, mvsec.Options{
		Data: paths["data"], GT: paths["gt"], Calib: paths["calib"], Out: paths["out"],
		Log: o.log, Progress: counter(o.progress, "convert", "frames"),
	})
	if err != nil {
		o.progress.Stop()
		return err
	}
	o.progress.End(fmt.Sprintf("%d frames kept", result.Kept))
	o.printf("%s: %d frames, of which %d were there; %d events of the others, %d outside of the rectified picture\n",
		paths["out"], result.Frames, result.Kept, result.Counts.Events, result.Outside)
	return o.object(map[string]any{
		"folder": paths["out"], "frames": result.Frames, "kept": result.Kept, "events": result.Counts.Events, "outside": result.Outside,
		"unsorted": result.Counts.Unsorted, "out_of_frame": result.Counts.OutOfFrame, "bad_polarity": result.Counts.BadPolarity,
		"frames_without_label": result.Counts.Unlabelled,
	})
}
