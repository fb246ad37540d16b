package main

import (
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// version is set by the linker: -X main.version=...
var version = "unknown"

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the versions of the program, libtorch and Go",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			o := newConsole(c)
			o.printf("spikedhs %s\nlibtorch %s\n%s %s/%s\n", version, torch.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return o.object(map[string]string{
				"version": version, "revision": run.Revision(), "libtorch": torch.Version(), "go": runtime.Version(),
			})
		},
	}
}
