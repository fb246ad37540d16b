package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/run"
)

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
	if err != nil {
		o.progress.Stop()
		return "", err
	}
	o.progress.End("")
	return folder, nil
}

// baseURLFlag is that of commands that fetch.
func baseURLFlag() cli.Flag {
	return &cli.StringFlag{Name: "base-url", Usage: "`URL` of a mirror that has the files under their names"}
}

// fetching shows how far a download is: a phase for each file.
type fetching struct {
	progress *run.Progress
	file     string
	shown    int64 // in kilobytes
}

func (f *fetching) show(file string, done, total int64) {
	const kilobyte = 1000
	done, total = done/kilobyte, max(total, 0)/kilobyte
	if file != f.file {
		f.progress.End("")
		f.progress.Start(file, "kB", int(total), int(done))
		f.file, f.shown = file, done
		return
	}
	f.progress.Add(int(done-f.shown), "")
	f.shown = done
}
