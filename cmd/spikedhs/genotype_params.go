package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task/classify"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

func genotypeParamsCommand() *cli.Command {
	return &cli.Command{
		Name:      "params",
		Usage:     "count parameters and multiply-accumulates of the network of a genotype",
		ArgsUsage: "[FILE|PRESET]",
		Description: "The configuration gives width, levels, steps and stem, its data set channels, classes and size; " +
			"the genotype gives nodes and down-sampling, and the levels where it follows a path. Without one it is train.genotype of the configuration.",
		Flags: reporting(append(settingFlags(),
			&cli.IntFlag{Name: "classes", DefaultText: "the data set's", Usage: "`N` classes", Action: atLeast("classes", 1)},
			&cli.IntFlag{Name: "channels", DefaultText: "the data set's", Usage: "`N` channels", Action: atLeast("channels", 1)},
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
	name := c.Args().First()
	if name == "" {
		name = cfg.Train.Genotype
	}
	if name == "" {
		return usagef("genotype params: name a genotype, a file or a preset (%s), or a configuration that has one", strings.Join(genotype.Presets(genotype.Normal), ", "))
	}
	g, err := registry.Genotype(classify.Task{}, name)
	if err != nil {
		return existing(err)
	}
	channels, height, width, classes, err := imagesOf(c, cfg)
	if err != nil {
		return err
	}
	v, err := countNetwork(cfg, g, channels, height+2*cfg.Data.Pad, width+2*cfg.Data.Pad, classes)
	if err != nil {
		return err
	}
	printCounts(o, v)
	return o.object(v)
}

// imagesOf is the shape of the images and the number of classes: those of the data
// set, unless flags say otherwise.
func imagesOf(c *cli.Context, cfg *config.Config) (channels, height, width, classes int, err error) {
	if channels, height, width, classes, err = data.Shape(cfg.Data.Name); err != nil {
		return 0, 0, 0, 0, err
	}
	if c.IsSet("classes") {
		classes = c.Int("classes")
	}
	if c.IsSet("channels") {
		channels = c.Int("channels")
	}
	if text := c.String("size"); text != "" {
		h, w, two := strings.Cut(text, "x")
		if !two {
			w = h
		}
		height, err = strconv.Atoi(h)
		if err == nil {
			width, err = strconv.Atoi(w)
		}
		if err != nil || height < 1 || width < 1 || height > 1<<14 || width > 1<<14 {
			return 0, 0, 0, 0, usagef("--size %s: write height and width such as 32 or 224x160", text)
		}
	}
	return channels, height, width, classes, nil
}

// countNetwork builds the network and counts what it is made of.
func countNetwork(cfg *config.Config, g genotype.Genotype, channels, height, width, classes int) (networkCounts, error) {
	options := classify.TrainOptions(cfg, channels, classes, search.Float32)
	if g.FollowsPath() {
		options.Levels = g.Path()
	}
	options.Auxiliary = false
	n, err := search.NewNetwork(torch.CPU(), g, options)
	if err != nil {
		return networkCounts{}, err
	}
	defer n.Close()
	v := networkCounts{
		Genotype: g.Name, Hash: g.Hash(), Origin: g.Origin, Channels: channels, Height: height, Width: width, Classes: classes,
		Nodes: g.Normal().Nodes, F: options.Width, Steps: options.Steps,
	}
	if v.Parameters, err = n.Parameters(); err != nil {
		return v, err
	}
	parameters := map[string]int64{}
	for _, x := range n.Variables().Parameters() {
		shape, err := torch.Shape(x.Value)
		if err != nil {
			return v, fmt.Errorf("count %s: %w", x.Name, err)
		}
		count := int64(1)
		for _, k := range shape {
			count *= k
		}
		parameters[partOf(x.Name)] += count
	}
	layers := n.Layers(height, width)
	for _, l := range layers {
		name := partOfLayer(l.Name)
		if len(v.Parts) == 0 || v.Parts[len(v.Parts)-1].Name != name {
			part := partCount{Name: name, Output: [3]int{l.Out, l.Height, l.Width}, Parameters: parameters[name]}
			if number, ok := strings.CutPrefix(name, "cell"); ok {
				i, err := strconv.Atoi(number)
				if err != nil {
					return v, fmt.Errorf("count %s: %w", l.Name, err)
				}
				part.Output[0] = g.Normal().Nodes * options.Width << options.Levels[i]
			}
			v.Parts = append(v.Parts, part)
		}
		last := &v.Parts[len(v.Parts)-1]
		last.MACs += l.MultiplyAdds()
		if name == "stem" {
			last.Output = [3]int{l.Out, l.Height, l.Width}
		}
		v.MACs += l.MultiplyAdds()
	}
	v.StepMACs = search.MultiplyAdds(layers, options.Steps)
	return v, nil
}

// partOf is the part that a variable such as "cells.3.from_s0.conv.weight" is in.
func partOf(variable string) string {
	parts := strings.SplitN(variable, ".", 3)
	if parts[0] == "cells" && len(parts) > 1 {
		return "cell" + parts[1]
	}
	return parts[0]
}

// partOfLayer is the part that a layer such as "cell3.from_s0" or "stem1" is in.
func partOfLayer(layer string) string {
	if strings.HasPrefix(layer, "stem") {
		return "stem"
	}
	return partOf(layer)
}

func printCounts(o *console, v networkCounts) {
	o.printf("genotype    %s (%s), %d nodes\n", v.Genotype, v.Hash, v.Nodes)
	if v.Origin != "" {
		o.printf("origin      %s\n", v.Origin)
	}
	o.printf("network     F = %d, T = %d, images %dx%dx%d, %s classes\n", v.F, v.Steps, v.Channels, v.Height, v.Width, thousands(v.Classes))
	o.printf("parameters  %s, without the auxiliary classifier\n", thousands(v.Parameters))
	o.printf("MACs        %s in a dense time step, %s for an image over all steps\n\n", thousands(v.MACs), thousands(v.StepMACs))
	o.printf("%-6s  %-12s  %12s  %15s\n", "part", "output", "parameters", "MACs a step")
	for _, p := range v.Parts {
		o.printf("%-6s  %-12s  %12s  %15s\n", p.Name, grid(p.Output), thousands(p.Parameters), thousands(p.MACs))
	}
}

// grid writes channels, height and width.
func grid(shape [3]int) string { return fmt.Sprintf("%dx%dx%d", shape[0], shape[1], shape[2]) }
