package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// classModels heads the flags of infer that models that name classes alone take.
const classModels = "Models that name classes"

func inferCommand() *cli.Command {
	return &cli.Command{
		Name:      "infer",
		Usage:     "name the class of images or recordings of events, or give the disparity of a window of events of two cameras",
		ArgsUsage: "[FILE...]",
		Flags: reporting(slices.Concat([]cli.Flag{modelFlag(), deviceFlag(), sensorFlag()}, of(classModels,
			&cli.BoolFlag{Name: "invert", Usage: "exchange dark and light, as for black figures on white"},
			datasetFlag("take its test images, those of --index"),
			text("index", "`LIST` of test images such as 7 or 0,3,10-19"),
			dirFlag(usualPlaces),
		), windowFlags())...),
		Action: infer,
	}
}

// of puts flags under a heading.
func of(models string, flags ...cli.Flag) []cli.Flag {
	for _, f := range flags {
		reflect.ValueOf(f).Elem().FieldByName("Category").SetString(models)
	}
	return flags
}

// refuseFlags refuses the flags of other models than the one at hand; kind says both.
func refuseFlags(c *cli.Context, models, kind string) error {
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		if f, ok := f.(cli.CategorizableFlag); ok && f.GetCategory() == models && c.IsSet(name) {
			return usagef("infer: --%s is for %s", name, kind)
		}
	}
	return nil
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
	if windows, err := infersWindows(c); err != nil {
		return err
	} else if windows {
		return inferWindows(c)
	}
	path, err := required(c, "model")
	if err != nil {
		return err
	}
	o := newConsole(c)
	device, err := torch.ParseDevice(deviceName(c))
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

// nameClasses asks the model about some images at a time.
func nameClasses(c *cli.Context, model *classify.Model, images []*inferred) error {
	defer torch.Pin()()
	const batch, most = 100, 3 // guesses of each image
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
			image.Guesses = guesses[i][:min(most, len(guesses[i]))]
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
