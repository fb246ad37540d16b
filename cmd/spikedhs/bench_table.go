package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train/bench"
)

// benchTable prints measurements as they come: a line each, or a JSON object each.
type benchTable struct{ o *console }

func newBenchTable(o *console, task bench.Task) *benchTable {
	o.printf("%s\n", task)
	o.printf("%5s  %5s  %5s  %4s  %7s  %-17s  %-9s  %9s  %6s  %8s  %7s  %7s\n", "batch", "width", "steps", "size", "threads",
		"implementation", "precision", "images/s", "spread", "peak MB", "speed", "memory")
	return &benchTable{o}
}

// measure measures cases and prints them as they come. It returns how many measurements
// failed, of how many.
func (t *benchTable) measure(ctx context.Context, plan bench.Plan, cases []bench.Case) (failed, measured int, err error) {
	for _, one := range cases {
		rows, pairs, err := plan.Run(ctx, one)
		if err == nil {
			err = t.add(rows, pairs)
		}
		if err != nil {
			return failed, measured, err
		}
		measured += len(rows)
		for _, row := range rows {
			if row.Error != "" {
				failed++
			}
		}
	}
	return failed, measured, nil
}

// add prints the rows of a case; behind another implementation stand our speed and
// memory over its own.
func (t *benchTable) add(rows []bench.Row, pairs []bench.Pair) error {
	ratios := map[string]bench.Pair{}
	for _, p := range pairs {
		ratios[p.Over] = p
	}
	for _, r := range rows {
		if err := t.o.object(r); err != nil {
			return err
		}
		size := r.Grid()
		if size == "" {
			size = fmt.Sprint(r.Size)
		}
		line := fmt.Sprintf("%5d  %5d  %5d  %4s  %7d  %-17s  %-9s", r.Batch, r.Width, r.Steps, size, r.Threads, r.Impl, r.Precision)
		if r.Error != "" {
			t.o.printf("%s  %s\n", line, r.Error)
			continue
		}
		line += fmt.Sprintf("  %9.2f  %4.0f %%  %8.0f", r.Rate, 100*r.Spread, r.PeakRSSMB)
		if p, ok := ratios[r.Impl]; ok {
			line += fmt.Sprintf("  %6.2fx  %6.2fx", p.Ratio, p.MemoryRatio)
		}
		t.o.printf("%s\n", line)
	}
	for _, p := range pairs {
		if err := t.o.object(p); err != nil {
			return err
		}
	}
	return nil
}

// benchDocumentCommand writes the tables of docs/benchmarks.md.
func benchDocumentCommand() *cli.Command {
	return &cli.Command{
		Name: "table", Usage: "write kept measurements, lines of JSON, as tables", ArgsUsage: "FILE...",
		Flags: []cli.Flag{
			text("update", "replace the tables in the document `FILE`, between its lines <!-- bench table --> and <!-- end of bench table -->"),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("bench table: name the files of measurements, such as docs/results/benchmarks.jsonl")
			}
			var records []bench.Record
			for _, path := range c.Args().Slice() {
				file, err := os.Open(path)
				if err != nil {
					return existing(err)
				}
				defer file.Close()
				more, err := bench.ReadRecords(file)
				if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				records = append(records, more...)
			}
			if document := c.String("update"); document != "" {
				return bench.UpdateDocument(document, records)
			}
			return bench.WriteTables(c.App.Writer, records)
		},
	}
}
