package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train/bench"
)

// benchDocumentCommand writes the tables of docs/benchmarks.md.
func benchDocumentCommand() *cli.Command {
	return &cli.Command{
		Name: "table", Usage: "write kept measurements, lines of JSON, as tables", ArgsUsage: "FILE...",
		Flags: []cli.Flag{&cli.StringFlag{
			Name:  "update",
			Usage: "replace the tables in the document `FILE`, between its lines <!-- bench table --> and <!-- end of bench table -->",
		}},
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
