// Command spikedhs searches, trains, evaluates and exports spiking neural networks.
//
// Results go to standard output, progress and logs to standard error. The exit
// code is 0 when the work is done, 1 when it failed, 2 when the command line, the
// configuration or the data are wrong, and 130 after an interrupt.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/wheel"
)

// garbagePercent is how much garbage Go's heap may hold, as a share of what is in
// use. Tensors are not in it: what is there is small, or data sets without
// pointers, which cost a collection nothing. By default it is 100 and at least 4 MB.
// $GOGC says otherwise.
const garbagePercent = 25

// The main goroutine stays on its OS thread, so that there is one pool of OpenMP's
// workers; see [torch.Pin].
func init() { torch.Pin() }

func main() {
	wheel.Restore()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one has its usual effect: the end, at once.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args, os.Stdout, os.Stderr))
}

// execute runs a command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if cause := recover(); cause != nil {
			reportPanic(stderr, args, cause)
			code = exitFailed
		}
	}()
	app := newApp(args, stdout, stderr)
	err := app.RunContext(ctx, interspersed(app, args))
	if err != nil {
		fmt.Fprintln(stderr, "spikedhs:", oneLine(err))
	}
	return exitCode(ctx, err)
}
