package main

import (
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/run"
)

func dataCommand() *cli.Command {
	return group("data", "find and fetch data sets",
		&cli.Command{
			Name:      "info",
			Usage:     "say which data sets are on this machine, and what they hold",
			ArgsUsage: "[NAME]",
			Flags: reporting(
				dirFlag(usualPlaces), sensorFlag(),
				&cli.BoolFlag{Name: "verify", Usage: "decode every image file of NAME and list those that cannot be read"},
				text("sheet", "draw some training images of NAME into `FILE`, a PNG"),
				sizeFlag("side in pixels of crops of image files", "224"),
			),
			Action: dataInfo,
		},
		&cli.Command{
			Name:      "fetch",
			Usage:     "download a data set and check it",
			ArgsUsage: "NAME",
			Flags:     reporting(dirFlag(data.DefaultDir()), baseURLFlag()),
			Action:    dataFetch,
		},
		dataSaccadeCommand(), dataPreviewCommand(), dataSynthCommand(), dataConvertCommand(), dataPreviewPairCommand(),
	)
}

// counter shows the calls of a function that is told how much of how much is done.
func counter(p *run.Progress, label, unit string) func(done, total int) {
	var mu sync.Mutex
	shown := -1
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if shown < 0 {
			p.Start(label, unit, total, 0)
			shown = 0
		}
		if done > shown {
			p.Add(done-shown, "")
			shown = done
		}
	}
}

func dataFetch(c *cli.Context) error {
	if c.NArg() != 1 {
		names := slices.DeleteFunc(data.Names(), func(name string) bool { return !data.Fetchable(name) })
		return usagef("data fetch: name one data set; choose one of %s", strings.Join(names, ", "))
	}
	o := newConsole(c)
	folder, err := fetch(c, o, c.Args().First(), c.String("dir"))
	if err != nil {
		return err
	}
	o.printf("%s\n", folder)
	return o.object(map[string]string{"name": c.Args().First(), "folder": folder})
}

// fetch brings a data set, from the mirror of --base-url where that is given, and shows
// how far it is.
func fetch(c *cli.Context, o *console, name, dir string) (folder string, err error) {
	p := fetching{progress: o.progress}
	folder, err = data.Fetch(c.Context, name, dir, data.FetchOptions{BaseURL: c.String("base-url"), Progress: p.show})
	return folder, o.ended(err, "")
}

// baseURLFlag is that of commands that fetch.
func baseURLFlag() cli.Flag {
	return text("base-url", "`URL` of a mirror that has the files under their names")
}

// fetching shows how far a download is: a phase for each file.
type fetching struct {
	progress *run.Progress
	file     string
	count    func(done, total int) // kilobytes
}

func (f *fetching) show(file string, done, total int64) {
	const kilobyte = 1000
	if file != f.file {
		f.progress.End("")
		f.file, f.count = file, counter(f.progress, file, "kB")
	}
	f.count(int(done/kilobyte), int(max(total, 0)/kilobyte))
}
