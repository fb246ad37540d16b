package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train/reproduce"
)

func reproduceCommand() *cli.Command {
	var commands []*cli.Command
	for _, e := range reproduce.Experiments() {
		commands = append(commands, experimentCommand(e.Name, e.Title, e))
	}
	return group("reproduce", "run experiments of the paper and set the results beside its numbers", append(commands,
		experimentCommand("all", "All that go with the data; what two have in common is trained once"),
		reproduceReportCommand(), reproduceWorkerCommand())...)
}

// experimentCommand runs an experiment, or all that go with the data.
func experimentCommand(name, usage string, of ...reproduce.Experiment) *cli.Command {
	var scales strings.Builder
	for _, s := range reproduce.Scales() {
		fmt.Fprintf(&scales, "%-6s %s; data: %s\n", s.Name, s.About, strings.Join(s.DataNames(of...), ", "))
	}
	dataset := datasetFlag("one of the scale")
	dataset.DefaultText = "the first"
	flags := []cli.Flag{
		&cli.StringFlag{Name: "scale", Value: "small", Usage: "`SCALE` of the runs: " + strings.Join(reproduce.ScaleNames(), ", ")},
		dataset,
		&cli.StringFlag{Name: "seeds", Value: "1", Usage: "`LIST` of seeds, such as 1,2,3"},
	}
	for _, e := range of {
		flags = append(flags, &cli.StringFlag{Name: "only", Usage: "`LIST` of rows: " + strings.Join(e.RowNames(), ", ")})
	}
	return &cli.Command{
		Name: name, Usage: usage, Description: "Scales:\n" + scales.String(),
		Flags: reporting(append(flags, setFlag(), deviceFlag(),
			outFlag("a folder of each experiment; without it runs/SCALE", ""), resumeFlag("runs that have ended are not repeated"),
			whole("jobs", "`N` runs side by side", 1, 0, "as many as the cores have space for"),
		)...),
		Action: func(c *cli.Context) error { return runExperiments(c, of) },
	}
}

func runExperiments(c *cli.Context, experiments []reproduce.Experiment) error {
	o, err := reproduceOptions(c)
	if err != nil {
		return err
	}
	if len(experiments) == 0 {
		if experiments, err = reproduce.ExperimentsOn(o.Scale, o.Data); err != nil {
			return err
		}
	}
	// What is wrong with the last one must not come to light after hours.
	for _, e := range experiments {
		o.Experiment = e.Name
		if err := o.Check(); err != nil {
			return err
		}
	}
	console := newConsole(c)
	o.Log, o.Progress = console.log, console.progress
	var failed []error
	for _, e := range experiments {
		o.Experiment = e.Name
		err := o.Run(c.Context)
		if err != nil && !errors.Is(err, reproduce.ErrRuns) {
			return err
		}
		failed = append(failed, err)
		result, err := reproduce.Collect(o.Out, e.Name)
		if err != nil {
			return err
		}
		if err := printResult(console, o.Out, result); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// reproduceOptions are those of the command line, with workers that are this program.
func reproduceOptions(c *cli.Context) (reproduce.Options, error) {
	args, _ := c.App.Metadata[metadataArgs].([]string)
	o := reproduce.Options{
		Scale: c.String("scale"), Data: c.String("dataset"), Out: c.String("out"), Only: words(c.String("only")),
		Set: slices.Clone(c.StringSlice("set")), Resume: c.Bool("resume"), Jobs: c.Int("jobs"), Version: version, Command: args,
	}
	if c.IsSet("device") {
		o.Set = append(o.Set, "run.device="+c.String("device"))
	}
	if o.Out == "" {
		o.Out = filepath.Join("runs", o.Scale)
	}
	for _, word := range words(c.String("seeds")) {
		seed, err := strconv.ParseInt(word, 10, 64)
		if err != nil || seed < 0 {
			return o, usagef("--seeds %s: want numbers from 0 on with commas between them, such as 1,2,3", c.String("seeds"))
		}
		o.Seeds = append(o.Seeds, seed)
	}
	self, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("reproduce: %w", err)
	}
	o.Worker = []string{self, "reproduce", "worker"}
	return o, nil
}

// words are the parts of a list with commas between them.
func words(list string) []string {
	var all []string
	for _, word := range strings.Split(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// printResult leaves the results in files and prints the tables.
func printResult(o *console, out string, r *reproduce.Result) error {
	drawings, err := r.Write(out)
	if err != nil {
		return err
	}
	if !o.json {
		if err := r.Text(o); err != nil {
			return err
		}
	}
	dir := filepath.Join(out, r.Experiment)
	o.printf("results   %s, %s, %s\n", filepath.Join(dir, reproduce.ResultsMarkdown), reproduce.ResultsJSON, reproduce.ResultsCSV)
	for _, path := range drawings {
		o.printf("drawing   %s\n", path)
	}
	o.printf("\n")
	return o.object(r)
}

// reproduceReportCommand makes the tables of folders anew, without training.
func reproduceReportCommand() *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "make the tables of earlier experiments anew, also into a document", ArgsUsage: "DIR...",
		Flags: reporting(&cli.StringFlag{Name: "update", Usage: "replace the tables in the document `FILE`, between its lines <!-- reproduce NAME --> and <!-- end of NAME -->"}),
		Action: func(c *cli.Context) error {
			dirs := c.Args().Slice()
			if len(dirs) == 0 {
				return usagef("reproduce report: name the folder that was --out of spikedhs reproduce")
			}
			document := c.String("update")
			if document != "" {
				if _, err := os.Stat(document); err != nil {
					return existing(err)
				}
			}
			o := newConsole(c)
			var results []*reproduce.Result
			for _, dir := range dirs {
				experiments, err := reproduce.Found(dir)
				if err != nil {
					return err
				}
				for _, name := range experiments {
					r, err := reproduce.Collect(dir, name)
					if err != nil {
						return err
					}
					results = append(results, r)
					if err := printResult(o, dir, r); err != nil {
						return err
					}
				}
			}
			if document == "" {
				return nil
			}
			return reproduce.Update(document, results...)
		},
	}
}

// reproduceWorkerCommand does one run for another spikedhs reproduce.
func reproduceWorkerCommand() *cli.Command {
	return &cli.Command{
		Name: "worker", Usage: "do one run for another spikedhs reproduce", Hidden: true, Flags: logFlags(),
		Action: func(c *cli.Context) error {
			o := newConsole(c)
			return reproduce.Work(c.Context, os.Stdin, o.log, o.progress)
		},
	}
}
