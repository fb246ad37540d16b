package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// console is where a command writes.
type console struct {
	io.Writer // results
	json      bool
	log       *slog.Logger
	progress  *run.Progress
}

// newConsole follows the flags --json, --log-format and --verbose.
func newConsole(c *cli.Context) *console {
	o := &console{Writer: c.App.Writer, json: c.Bool("json")}
	options := &slog.HandlerOptions{Level: slog.LevelWarn}
	if c.Bool("verbose") {
		options.Level = slog.LevelDebug
	}
	if c.String("log-format") == "json" { // progress lines are log records of level info then
		options.Level = min(options.Level.Level(), slog.LevelInfo)
		o.log = slog.New(slog.NewJSONHandler(c.App.ErrWriter, options))
		o.progress = run.NewProgress(slog.NewLogLogger(o.log.Handler(), slog.LevelInfo).Writer())
	} else {
		o.progress = run.NewProgress(c.App.ErrWriter)
		o.log = slog.New(slog.NewTextHandler(o.progress, options))
	}
	slog.SetDefault(o.log) // of libraries that are given no logger
	return o
}

// printf writes to the results, unless these are one JSON object.
func (o *console) printf(format string, args ...any) {
	if !o.json {
		fmt.Fprintf(o, format, args...)
	}
}

// object writes v if the results are one JSON object.
func (o *console) object(v any) error {
	if !o.json {
		return nil
	}
	return json.NewEncoder(o).Encode(v)
}

// ended ends what is shown of progress: with a summary, or without a line after an error.
func (o *console) ended(err error, summary string) error {
	if err != nil {
		o.progress.Stop()
	} else {
		o.progress.End(summary)
	}
	return err
}

// newJob describes a search or a training of this command line.
func newJob(c *cli.Context, o *console, cfg *config.Config) train.Job {
	args, _ := c.App.Metadata[metadataArgs].([]string)
	return train.Job{
		Config: cfg, Out: c.String("out"), Resume: c.Bool("resume"), MaxSteps: c.Int64("max-steps"),
		Log: o.log, Progress: o.progress, Version: version, Command: args,
	}
}

// createRun makes the run folder of a job.
func createRun(job train.Job) (*run.Folder, error) {
	info, err := train.NewInfo(job.Config, version, job.Command)
	if err != nil {
		return nil, err
	}
	return run.Create(job.Out, job.Config, info)
}

// size is the length of a file for people.
func size(path string) string {
	found, err := os.Stat(path)
	if err != nil {
		return "unknown size"
	}
	return fmt.Sprintf("%.1f MB", float64(found.Size())/1e6)
}

// thousands writes a number with commas between groups of three digits.
func thousands[N int | int64](n N) string { return task.Thousands(n) }
