package main

import (
	"errors"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/cmd/spikedhs/internal/doctor"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// version is set by the linker: -X main.version=...
var version = "unknown"

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "check libtorch, speed, devices and data of this machine, and say what to do",
		Description: "For CUDA it gives the versions of libtorch's CUDA, the driver and NVRTC; for each GPU its\n" +
			"capability, memory and the precision that \"auto\" takes there, whether our kernels compile for\n" +
			"it, and whether neurons and a convolution come out as on the CPU. It ends with an error where\n" +
			"a check fails; a warning is of what works, but slower or not in full.",
		Flags: reporting(),
		Action: func(c *cli.Context) error {
			o := newConsole(c)
			checks := doctor.Examine(version)
			failed := printChecks(o, checks)
			if err := o.object(map[string]any{"ok": len(failed) == 0, "checks": checks}); err != nil {
				return err
			}
			if len(failed) > 0 {
				return errors.New("doctor: these checks failed: " + strings.Join(failed, ", "))
			}
			return nil
		},
	}
}

// printChecks prints a line for every check and one for every advice, and returns
// the names of those that failed.
func printChecks(o *console, checks []doctor.Check) (failed []string) {
	width := 0
	for _, check := range checks {
		width = max(width, len(check.Name))
	}
	for _, check := range checks {
		o.printf("%-4s  %-*s  %s\n", check.Status, width, check.Name, check.Value)
		if check.Advice != "" {
			o.printf("      %-*s  -> %s\n", width, "", check.Advice)
		}
		if check.Status == doctor.Fail {
			failed = append(failed, check.Name)
		}
	}
	return failed
}

func versionCommand() *cli.Command {
	return command("version",
		"print the versions of the program, libtorch and Go",
		printVersion, []cli.Flag{jsonFlag()})
}

func printVersion(c *cli.Context) error {
	o := newConsole(c)
	o.printf("spikedhs %s\nlibtorch %s\n%s %s/%s\n", version, torch.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return o.object(map[string]string{
		"version": version, "revision": run.Revision(), "libtorch": torch.Version(), "go": runtime.Version(),
	})
}
