package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// shown is how many guesses are told for each image.
const shown = 3

// inference is a kind of model that infer takes beside those that name classes; each
// stands in a file of its own.
type inference struct {
	flags func() []cli.Flag
	takes func(c *cli.Context) (bool, error) // the model of --model or --run
	run   func(c *cli.Context) error
}

var inferences []inference

func inferCommand() *cli.Command {
	var flags []cli.Flag
	for _, i := range inferences {
		flags = append(flags, i.flags()...)
	}
	return &cli.Command{
		Name:      "infer",
		Usage:     "name the class of images or recordings of events, or give the disparity of a window of events of two cameras",
		ArgsUsage: "[FILE...]",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "model", Usage: "exported model `FILE` (required, or --run)"},
			&cli.BoolFlag{Name: "invert", Usage: "exchange dark and light, as for black figures on white"},
			&cli.StringFlag{Name: "dataset", Usage: "take test images of the data set `NAME`, those of --index"},
			&cli.StringFlag{Name: "index", Usage: "`LIST` of test images such as 7 or 0,3,10-19"},
			&cli.StringFlag{Name: "data", Usage: "folder `DIR` of the data set instead of the usual places"},
			deviceFlag(), jsonFlag(),
		}, flags, logFlags()),
		Action: infer,
	}
}

// inferred is what the model says about one image.
type inferred struct {
	Image string `json:"image"`
	// Note says what was done to the image to fit the model.
	Note string `json:"note,omitempty"`
	// Label is the true class, where it is known.
	Label   string           `json:"label,omitempty"`
	Guesses []classify.Guess `json:"guesses"`

	pixels []float32
}

func infer(c *cli.Context) error {
	for _, i := range inferences {
		if ok, err := i.takes(c); err != nil {
			return err
		} else if ok {
			return i.run(c)
		}
	}
	path, err := required(c, "model")
	if err != nil {
		return err
	}
	o := newConsole(c)
	name := c.String("device")
	if name == "" {
		name = "auto"
	}
	device, err := torch.ParseDevice(name)
	if err != nil {
		return err
	}
	model, err := classify.LoadModel(path, device)
	if err != nil {
		return err
	}
	defer model.Close()
	images, err := inputs(c, model.Info)
	if err != nil {
		return err
	}
	if err := nameClasses(c, model, images); err != nil {
		return err
	}
	for _, image := range images {
		image.print(o)
	}
	return o.object(map[string]any{"model": path, "images": images})
}

// inputs are the images that the command line names.
func inputs(c *cli.Context, info classify.ModelInfo) ([]*inferred, error) {
	dataset, index := c.String("dataset"), c.String("index")
	fromSet, fromFiles := dataset != "" && index != "" && !c.Args().Present(), dataset == "" && index == "" && c.Args().Present()
	if info.Events != nil && c.Bool("invert") {
		return nil, usagef("infer: --invert is for images; the model takes recordings of events")
	}
	switch {
	case fromFiles && info.Events != nil:
		return recordings(c.Args().Slice(), info)
	case fromSet && info.Events != nil:
		return testRecordings(c, dataset, index, info)
	case fromFiles:
		return pictures(c.Args().Slice(), info, c.Bool("invert"))
	case fromSet:
		return testImages(c, dataset, index, info)
	}
	return nil, usagef("infer: give either images or --dataset and --index; see spikedhs infer --help")
}

// nameClasses asks the model about some images at a time.
func nameClasses(c *cli.Context, model *classify.Model, images []*inferred) error {
	defer torch.Pin()()
	const batch = 100
	for part := range slices.Chunk(images, batch) {
		if err := c.Context.Err(); err != nil {
			return err
		}
		var pixels []float32
		for _, image := range part {
			pixels = append(pixels, image.pixels...)
		}
		guesses, err := model.Classify(pixels)
		if err != nil {
			return err
		}
		for i, image := range part {
			image.Guesses = guesses[i][:min(shown, len(guesses[i]))]
		}
	}
	return nil
}

func (i *inferred) print(o *console) {
	var list []string
	for _, g := range i.Guesses {
		list = append(list, fmt.Sprintf("%s %.1f %%", g.Class, 100*g.Probability))
	}
	line := i.Image + ": " + strings.Join(list, ", ")
	if i.Label != "" {
		line += " (it is " + i.Label + ")"
	}
	if i.Note != "" {
		line += " [" + i.Note + "]"
	}
	o.printf("%s\n", line)
}
