package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/bench"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/reproduce"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// errUsage is wrapped by errors about the command line.
var errUsage = errors.New("wrong use")

// usageError is an error about the command line; its text is the message alone.
type usageError struct{ message string }

func (e usageError) Error() string        { return e.message }
func (e usageError) Is(target error) bool { return target == errUsage }

func usagef(format string, args ...any) error {
	return usageError{fmt.Sprintf(format, args...)}
}

// userErrors are the errors that the user can mend: flags, configuration, data.
var userErrors = []error{
	errUsage, config.ErrInvalid, genotype.ErrInvalid, search.ErrOptions,
	data.ErrFormat, data.ErrNotFound, data.ErrUnknown,
	run.ErrExists, run.ErrNotRun, train.ErrCheckpoint, classify.ErrModel,
	bench.ErrCase, bench.ErrPython, reproduce.ErrUnknown,
}

// exitCode maps the error of a command to the code that the shell sees.
func exitCode(ctx context.Context, err error) int {
	var wrongHelp cli.ExitCoder // of `spikedhs help WORD`
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, train.ErrInterrupted),
		ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	case slices.ContainsFunc(userErrors, func(target error) bool { return errors.Is(err, target) }),
		errors.As(err, &wrongHelp):
		return exitUsage
	}
	return exitFailed
}

// oneLine is the text of an error on one line.
func oneLine(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// existing makes an error about a missing file one about wrong use.
func existing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("%v", err)
	}
	return err
}

// nearest is the candidate that a mistyped word was most likely meant to be, "" if
// none is close.
func nearest(word string, candidates []string) string {
	return config.Closest(word, min(len(word)/2, 2)+1, candidates)
}

// reportPanic describes a mistake of the program itself.
func reportPanic(w io.Writer, args []string, cause any) {
	const address = "https://github.com/spikedhs/spikedhs/issues"
	if !slices.Contains(args, "-v") && !slices.Contains(args, "--verbose") {
		fmt.Fprintf(w, "spikedhs: internal error: %s; repeat the command with -v and report what it prints at %s\n",
			strings.Join(strings.Fields(fmt.Sprint(cause)), " "), address)
		return
	}
	fmt.Fprintf(w, "spikedhs: internal error: %v; report this text at %s\n%s %s\n%s", cause, address, "spikedhs", version, debug.Stack())
}
