package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
)

func dataFetch(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("data fetch: name one data set; choose one of %s", strings.Join(data.Names(), ", "))
	}
	o := newConsole(c)
	p := &fetching{console: o}
	folder, err := data.Fetch(c.Context, c.Args().First(), c.String("dir"), data.FetchOptions{
		BaseURL: c.String("base-url"), Progress: p.show,
	})
	p.progress.Stop()
	if err != nil {
		return err
	}
	o.printf("%s\n", folder)
	return o.object(map[string]string{"name": c.Args().First(), "folder": folder})
}

// fetching shows how far a download is, in kilobytes.
type fetching struct {
	*console
	file string
	done int64
}

func (f *fetching) show(file string, done, total int64) {
	const unit = 1000
	if file != f.file {
		f.progress.Start(file, "kB", int(max(total, 0)/unit), int(done/unit))
		f.file, f.done = file, done
	}
	if whole := done / unit; whole > f.done/unit {
		f.progress.Add(int(whole-f.done/unit), "")
		f.done = done
	}
	if done == total {
		f.progress.End("")
	}
}
