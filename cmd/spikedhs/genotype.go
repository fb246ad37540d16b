package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/run"
)

func genotypeCommand() *cli.Command {
	return &cli.Command{
		Name:  "genotype",
		Usage: "show and count architectures",
		Subcommands: []*cli.Command{{
			Name:      "show",
			Usage:     "print a genotype, or draw it",
			ArgsUsage: "FILE|PRESET",
			Flags: reporting(
				text("dot", "draw it for Graphviz into `FILE`, - for standard output"),
				text("svg", "draw it as SVG into `FILE`, - for standard output"),
			),
			Action: showGenotype,
		}, genotypeParamsCommand()},
	}
}

func showGenotype(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("genotype show: name one genotype, a file or a preset: %v", genotype.Presets())
	}
	o := newConsole(c)
	g, err := genotype.Resolve(c.Args().First())
	if err != nil {
		return existing(err)
	}
	drawn := false
	for _, drawing := range []struct {
		path string
		draw func(io.Writer, genotype.Genotype) error
	}{{c.String("dot"), genotype.DOT}, {c.String("svg"), genotype.SVG}} {
		if drawing.path == "" {
			continue
		}
		drawn = true
		if err := draw(o, drawing.path, func(w io.Writer) error { return drawing.draw(w, g) }); err != nil {
			return err
		}
	}
	if !drawn {
		o.printf("%s", genotype.Text(g))
	}
	return o.object(g)
}

// draw writes a drawing to a file or, for "-", to w.
func draw(w io.Writer, path string, form func(io.Writer) error) error {
	if path == "-" {
		return form(w)
	}
	return run.WriteFileAtomic(path, form)
}
