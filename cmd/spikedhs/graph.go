package main

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/configs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// networkGraph is what graph prints.
type networkGraph struct {
	Genotype string `json:"genotype"`
	Hash     string `json:"hash"`
	Task     string `json:"task"`
	After    string `json:"after"`
	graph.Table
}

func graphCommand() *cli.Command {
	return &cli.Command{
		Name:      "graph",
		Usage:     "print the network of a run or of a genotype node by node, or draw it",
		ArgsUsage: "RUN|FILE|PRESET",
		Description: "A run has its own configuration; a genotype is built under --config, by default a preset of its task. " +
			"Shapes and MACs are those of one time step, over inputs of the data set's size.",
		Flags: reporting(append(settingFlags(),
			&cli.StringFlag{Name: "after", Value: "training", Usage: "`FORM` of the network: training, or folded to the inference form", Action: oneOf("after", "training", "folded")},
			&cli.StringFlag{Name: "svg", Usage: "draw it as SVG into `FILE`, - for standard output"},
		)...),
		Action: showGraph,
	}
}

func showGraph(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("graph: name one run folder or genotype, a file or a preset: %v", genotype.Presets())
	}
	o := newConsole(c)
	t, cfg, g, err := networkOf(c, c.Args().First())
	if err != nil {
		return existing(err)
	}
	if err := t.Adopt(cfg, g, o.log); err != nil {
		return err
	}
	v := networkGraph{Genotype: g.Name, Hash: g.Hash(), Task: t.Name(), After: c.String("after")}
	if v.Table, err = t.Graph(cfg, g, v.After == "folded"); err != nil {
		return err
	}
	if path := c.String("svg"); path != "" {
		if err := draw(o, path, func(w io.Writer) error { return graphSVG(w, v) }); err != nil {
			return err
		}
	} else {
		printGraph(o, v)
	}
	return o.object(v)
}

// networkOf is the genotype that a word of the command line means, with its task and
// configuration.
func networkOf(c *cli.Context, name string) (task.Task, *config.Config, genotype.Genotype, error) {
	source, file := c.String("config"), name
	if found, err := os.Stat(name); err == nil && found.IsDir() {
		folder, err := run.Open(name)
		if err != nil {
			return nil, nil, genotype.Genotype{}, err
		}
		file = folder.Path(run.GenotypeFile)
		if source == "" {
			source = folder.Path(run.ConfigFile)
		}
	}
	g, err := genotype.Resolve(file)
	if err != nil {
		return nil, nil, g, err
	}
	t := registry.Owner(g)
	if t == nil {
		return nil, nil, g, fmt.Errorf("%w: %s has the subnets of no task", genotype.ErrInvalid, file)
	}
	if source == "" && registry.Of(config.Default()) != t {
		source = configs.Names()[slices.IndexFunc(configs.Names(), func(preset string) bool {
			cfg, err := config.Load(preset, nil)
			return err == nil && registry.Of(cfg) == t
		})]
	}
	cfg, err := config.Load(source, c.StringSlice("set"))
	if err != nil {
		return nil, nil, g, err
	}
	g, err = registry.Genotype(registry.Of(cfg), file)
	return t, cfg, g, err
}

func printGraph(o *console, v networkGraph) {
	o.printf("genotype    %s (%s), %s, %s\n", v.Genotype, v.Hash, v.Task, map[string]string{
		"training": "as it is trained", "folded": "folded for inference",
	}[v.After])
	o.printf("inputs      %v\n\n", v.Inputs)
	name, kind := len("name"), len("kind")
	for _, n := range v.Nodes {
		name, kind = max(name, len(n.Name)), max(kind, len(n.Kind))
	}
	line := fmt.Sprintf("%%4v  %%-%ds  %%-%ds  %%-16s  %%12s  %%15s  %%s\n", name, kind)
	o.printf(line, "", "name", "kind", "shape", "parameters", "MACs a step", "reads")
	for i, n := range v.Nodes {
		reads := ""
		for _, k := range n.Inputs {
			reads += inputName(v, k) + " "
		}
		o.printf(line, i, n.Name, n.Kind, shapeText(n), thousands(n.Parameters), thousands(n.MACs), reads)
	}
	o.printf(line, "", "total", "", "", thousands(v.Parameters), thousands(v.MACs), fmt.Sprint(len(v.Nodes), " nodes"))
}

// inputName is the number of a node, or the name of an input of the network.
func inputName(v networkGraph, k int) string {
	if k >= 0 {
		return fmt.Sprint(k)
	}
	return v.Inputs[-1-k]
}

// shapeText writes images, channels, height and width; what is made once is marked.
func shapeText(n graph.Row) string {
	text := fmt.Sprintf("%dx%dx%d", n.Shape[1], n.Shape[2], n.Shape[3])
	if n.Shape[0] > 1 {
		text = fmt.Sprint(n.Shape[0], "x", text)
	}
	if n.Once {
		text += " once"
	}
	return text
}

// Sizes of the drawing of a graph, in pixels.
const (
	boxWidth, boxHeight = 190, 38
	boxGap, rowGap      = 26, 34
	graphMargin         = 24
)

// graphColors are those of the nodes that make spikes and of those that multiply.
var graphColors = map[string]string{
	"conv": "#dbe9f6", "head": "#dbe9f6", "classify": "#dbe9f6", "auxiliary": "#dbe9f6",
	"node": "#fde0c5", "neurons": "#fde0c5", "fire": "#fde0c5", "volume": "#dff0d8",
}

// graphSVG draws a network from its inputs downwards: each node below all that it reads.
func graphSVG(w io.Writer, v networkGraph) error {
	rank, column := make([]int, len(v.Nodes)), make([]int, len(v.Nodes))
	count := []int{len(v.Inputs)} // boxes of each row
	for i, n := range v.Nodes {
		rank[i] = 1
		for _, k := range n.Inputs {
			if k >= 0 {
				rank[i] = max(rank[i], rank[k]+1)
			}
		}
		for len(count) <= rank[i] {
			count = append(count, 0)
		}
		column[i] = count[rank[i]]
		count[rank[i]]++
	}
	width := slices.Max(count)*(boxWidth+boxGap) - boxGap + 2*graphMargin
	height := len(count)*(boxHeight+rowGap) - rowGap + 2*graphMargin
	// place is the middle of the upper edge of a box; inputs have negative numbers.
	place := func(k int) (x, y int) {
		row, at := 0, -1-k
		if k >= 0 {
			row, at = rank[k], column[k]
		}
		x = width/2 + (2*at-count[row]+1)*(boxWidth+boxGap)/2
		return x, graphMargin + row*(boxHeight+rowGap)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11" text-anchor="middle">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s, %s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", escaped(v.Genotype), escaped(v.After))
	for i, n := range v.Nodes {
		for _, k := range n.Inputs {
			fromX, fromY := place(k)
			toX, toY := place(i)
			fromY += boxHeight
			middle := (fromY + toY) / 2
			fmt.Fprintf(&b, `<path d="M%d %dC%d %d %d %d %d %d" fill="none" stroke="#999"/>`+"\n", fromX, fromY, fromX, middle, toX, middle, toX, toY)
		}
	}
	box := func(k int, color, name, below string) {
		x, y := place(k)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="5" fill="%s" stroke="#555"/>`+"\n", x-boxWidth/2, y, boxWidth, boxHeight, color)
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text><text x="%d" y="%d" fill="#555">%s</text>`+"\n", x, y+16, escaped(name), x, y+31, escaped(below))
	}
	for i, name := range v.Inputs {
		box(-1-i, "white", name, "input")
	}
	for i, n := range v.Nodes {
		color := cmp.Or(graphColors[n.Kind], "#f2f2f2")
		box(i, color, cmp.Or(n.Name, n.Kind), n.Kind+" "+shapeText(n))
	}
	b.WriteString("</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// escaped is a text between tags.
func escaped(text string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return ""
	}
	return b.String()
}
