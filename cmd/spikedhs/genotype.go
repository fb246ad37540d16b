package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/classify"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

func genotypeCommand() *cli.Command {
	return group("genotype", "show and count architectures",
		&cli.Command{
			Name:      "show",
			Usage:     "print a genotype, or draw it",
			ArgsUsage: "FILE|PRESET",
			Flags: reporting(
				text("dot", "draw it for Graphviz into `FILE`, - for standard output"),
				text("svg", "draw it as SVG into `FILE`, - for standard output"),
			),
			Action: showGenotype,
		},
		genotypeParamsCommand(),
	)
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

func genotypeParamsCommand() *cli.Command {
	return &cli.Command{
		Name:      "params",
		Usage:     "count parameters and multiply-accumulates of the network of a genotype",
		ArgsUsage: "[FILE|PRESET]",
		Description: "The configuration gives width, levels, steps and stem, its data set channels, classes and size; " +
			"the genotype gives nodes and down-sampling, and the levels where it follows a path. Without one it is train.genotype of the configuration.",
		Flags: reporting(append(settingFlags(),
			whole("classes", "`N` classes", 1, 0, "the data set's"),
			whole("channels", "`N` channels", 1, 0, "the data set's"),
			sizeFlag("height and width, HxW, or one number", "the data set's"),
		)...),
		Action: genotypeParams,
	}
}

// networkCounts is what genotype params prints.
type networkCounts struct {
	Genotype string `json:"genotype"`
	Hash     string `json:"hash"`
	Origin   string `json:"origin,omitempty"`
	// Channels, Height and Width are those of an image, padding included.
	Channels int `json:"channels"`
	Height   int `json:"height"`
	Width    int `json:"width"`
	Classes  int `json:"classes"`
	Nodes    int `json:"nodes"`
	F        int `json:"f"`
	Steps    int `json:"steps"`
	// Parameters are those of the trained network, without the auxiliary
	// classifier; MACs the multiply-accumulates of one time step, and StepMACs those
	// of an image over all steps.
	Parameters int64       `json:"parameters"`
	MACs       int64       `json:"macs"`
	StepMACs   int64       `json:"macs_all_steps"`
	Parts      []partCount `json:"parts"`
}

// partCount is the stem, a cell or the head.
type partCount struct {
	Name string `json:"name"`
	// Output is channels, height and width.
	Output     [3]int `json:"output"`
	Parameters int64  `json:"parameters"`
	MACs       int64  `json:"macs"`
}

func genotypeParams(c *cli.Context) error {
	if c.NArg() > 1 {
		return usagef("genotype params: name one genotype, a file or a preset: %v", genotype.Presets(genotype.Normal))
	}
	o := newConsole(c)
	cfg, err := config.Load(c.String("config"), c.StringSlice("set"))
	if err != nil {
		return err
	}
	name := cmp.Or(c.Args().First(), cfg.Train.Genotype)
	if name == "" {
		return usagef("genotype params: name a genotype, a file or a preset (%s), or a configuration that has one", strings.Join(genotype.Presets(genotype.Normal), ", "))
	}
	g, err := registry.Genotype(classify.Task{}, name)
	if err != nil {
		return existing(err)
	}
	v := networkCounts{Genotype: g.Name, Hash: g.Hash(), Origin: g.Origin, Nodes: g.Normal().Nodes}
	if err := v.images(c, cfg); err != nil {
		return err
	}
	if err := v.count(cfg, g); err != nil {
		return err
	}
	v.print(o)
	return o.object(v)
}

// images sets the shape of the images and the number of classes: those of the data set,
// unless flags say otherwise.
func (v *networkCounts) images(c *cli.Context, cfg *config.Config) (err error) {
	if v.Channels, v.Height, v.Width, v.Classes, err = data.Shape(cfg.Data.Name); err != nil {
		return err
	}
	if c.IsSet("classes") {
		v.Classes = c.Int("classes")
	}
	if c.IsSet("channels") {
		v.Channels = c.Int("channels")
	}
	if text := c.String("size"); text != "" {
		sides, ok := sidesOf(text)
		if !ok {
			return usagef("--size %s: write height and width such as 32 or 224x160", text)
		}
		v.Height, v.Width = sides[0], sides[len(sides)-1]
	}
	v.Height += 2 * cfg.Data.Pad
	v.Width += 2 * cfg.Data.Pad
	return nil
}

// count builds the network and counts what it is made of.
func (v *networkCounts) count(cfg *config.Config, g genotype.Genotype) error {
	options := classify.TrainOptions(cfg, v.Channels, v.Classes, search.Float32)
	if g.FollowsPath() {
		options.Levels = g.Path()
	}
	options.Auxiliary = false
	n, err := search.NewNetwork(torch.CPU(), g, options)
	if err != nil {
		return err
	}
	defer n.Close()
	v.F, v.Steps = options.Width, options.Steps
	if v.Parameters, err = n.Parameters(); err != nil {
		return err
	}
	layers := n.Layers(v.Height, v.Width)
	v.StepMACs = search.MultiplyAdds(layers, options.Steps)
	for _, l := range layers {
		name, _, _ := strings.Cut(l.Name, ".") // of "cell3.from_s0"
		if strings.HasPrefix(name, "stem") {   // of several layers
			name = "stem"
		}
		if len(v.Parts) == 0 || v.Parts[len(v.Parts)-1].Name != name {
			others, err := n.Variables().Count(strings.Replace(name, "cell", "cells.", 1))
			if err != nil {
				return err
			}
			v.Parts = append(v.Parts, partCount{Name: name, Parameters: v.Parameters - others})
		}
		last := &v.Parts[len(v.Parts)-1]
		last.Output = [3]int{l.Out, l.Height, l.Width}
		if i, err := strconv.Atoi(strings.TrimPrefix(name, "cell")); err == nil {
			last.Output[0] = v.Nodes * options.Width << options.Levels[i]
		}
		last.MACs += l.MultiplyAdds()
		v.MACs += l.MultiplyAdds()
	}
	return nil
}

func (v *networkCounts) print(o *console) {
	o.printf("genotype    %s (%s), %d nodes\n", v.Genotype, v.Hash, v.Nodes)
	if v.Origin != "" {
		o.printf("origin      %s\n", v.Origin)
	}
	o.printf("network     F = %d, T = %d, images %dx%dx%d, %s classes\n", v.F, v.Steps, v.Channels, v.Height, v.Width, thousands(v.Classes))
	o.printf("parameters  %s, without the auxiliary classifier\n", thousands(v.Parameters))
	o.printf("MACs        %s in a dense time step, %s for an image over all steps\n\n", thousands(v.MACs), thousands(v.StepMACs))
	o.printf("%-6s  %-12s  %12s  %15s\n", "part", "output", "parameters", "MACs a step")
	for _, p := range v.Parts {
		grid := fmt.Sprintf("%dx%dx%d", p.Output[0], p.Output[1], p.Output[2])
		o.printf("%-6s  %-12s  %12s  %15s\n", p.Name, grid, thousands(p.Parameters), thousands(p.MACs))
	}
}
