package config

import (
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/data"
)

// Validate checks every key against its allowed values, and the keys against each
// other. The error names key, value and what is allowed, and wraps [ErrInvalid].
func (c *Config) Validate() error { return invalid(c.problems(), nil) }

// problems checks each key alone and, once these are right, the keys together.
func (c *Config) problems() []problem {
	var problems []problem
	fields := c.fields()
	for _, k := range keys {
		if v := fields[k.Name]; !k.rule.holds(v) {
			problems = append(problems, problem{k.Name, fmt.Sprintf("%s = %s: allowed is %s", k.Name, render(v), k.Allowed())})
		}
	}
	if problems != nil {
		return problems
	}
	return c.conflicts()
}

// ownConflicts are those of tasks in place of those of images; each tells whether a
// configuration is its own.
var ownConflicts []func(c *Config, conflict func(holds bool, key, format string, args ...any)) bool

// conflicts checks what involves more than one key.
func (c *Config) conflicts() []problem {
	var problems []problem
	conflict := func(holds bool, key, format string, args ...any) {
		if !holds {
			problems = append(problems, problem{key, key + " = " + fmt.Sprintf(format, args...)})
		}
	}
	s, t, n := &c.Search, &c.Train, &c.Network

	conflict(s.WarmupEpochs < s.Epochs, "search.warmup_epochs",
		"%d: must be below search.epochs = %d, or alpha is never trained", s.WarmupEpochs, s.Epochs)
	conflict(s.LRMin <= s.LR, "search.lr_min", "%g: must not exceed search.lr = %g", s.LRMin, s.LR)
	conflict(t.LRMin <= t.LR, "train.lr_min", "%g: must not exceed train.lr = %g", t.LRMin, t.LR)

	d := &c.DGS
	conflict(!slices.Contains(d.Layers, AutoLayers) || len(d.Layers) == 1, "dgs.layers",
		"%q: %q chooses by itself and stands alone", d.Layers, AutoLayers)
	conflict(!slices.Contains(d.Watch, AutoLayers), "dgs.watch", "%q: name layers, or take \"*\" for all", d.Watch)
	conflict(d.Min <= d.Max, "dgs.min", "%g: must not exceed dgs.max = %g", d.Min, d.Max)
	reach := d.Delta * float64(d.Candidates-1) / 2
	conflict(reach < d.Min, "dgs.delta",
		"%g: the lowest of %d candidates is %g below a temperature that may be dgs.min = %g; it must stay above 0", d.Delta, d.Candidates, reach, d.Min)

	for _, own := range ownConflicts {
		if own(c, conflict) {
			return problems
		}
	}

	available := c.Data.TrainImages
	conflict(available == 0 || c.Data.ValidationImages < available, "data.validation_images",
		"%d: must be below data.train_images = %d, of which they are put aside", c.Data.ValidationImages, available)
	limit := fmt.Sprintf("data.train_images = %d", available)
	if available > 0 && c.Data.ValidationImages > 0 {
		available -= c.Data.ValidationImages
		limit += fmt.Sprintf(" less data.validation_images = %d", c.Data.ValidationImages)
	}
	conflict(available == 0 || s.Images <= available, "search.images",
		"%d: must not exceed %s", s.Images, limit)
	conflict(available == 0 || t.Batch <= available, "train.batch",
		"%d: must not exceed %s", t.Batch, limit)
	searched := s.Images
	if searched == 0 {
		searched = available
	}
	conflict(searched == 0 || s.Batch <= searched/2, "search.batch",
		"%d: must not exceed half of the %d images that are split in two", s.Batch, searched)

	conflict(n.Activation != "relu" || n.Steps == 1, "network.activation",
		"\"relu\": an ANN knows no time; set network.steps = 1, not %d", n.Steps)
	conflict(n.Activation != "relu" || s.Steps <= 1, "network.activation",
		"\"relu\": an ANN knows no time; set search.steps = 1, not %d", s.Steps)
	conflict(len(c.Data.Mean) == len(c.Data.Std), "data.mean",
		"%v: must have as many values as data.std = %v", c.Data.Mean, c.Data.Std)

	for i := 1; i < len(n.Levels); i++ {
		conflict(n.Levels[i] >= n.Levels[i-1] || n.Downsample == "nearest", "network.levels",
			"%v: cell %d goes up from level %d to %d, which only network.downsample = \"nearest\" can", n.Levels, i, n.Levels[i-1], n.Levels[i])
	}
	conflict(!s.LayerSearch || n.Downsample == "nearest", "search.layer_search",
		"true: one cell serves all levels, so set network.downsample = \"nearest\", not %q", n.Downsample)

	if data.Side(c.Data.Name, c.Data.Size, c.Data.Sensor) == 0 {
		return problems // the recordings say how large they are
	}
	side, deepest := data.Side(c.Data.Name, c.Data.Size, c.Data.Sensor)+2*c.Data.Pad, slices.Max(n.Levels)
	grid := side
	for _, stride := range n.StemStrides {
		grid /= stride
	}
	conflict(grid>>min(deepest, 31) > 0, "network.levels",
		"%v: level %d leaves nothing of images with a side of %d pixels behind a stem of strides %v", n.Levels, deepest, side, n.StemStrides)
	reached := min(len(n.Levels), s.TrellisLevels-1)
	conflict(!s.LayerSearch || grid>>reached > 0, "search.layer_search",
		"true: %d cells may reach level %d, which leaves nothing of images with a side of %d pixels behind a stem of strides %v; pad the images or set it to false",
		len(n.Levels), reached, side, n.StemStrides)
	conflict(t.Cutout <= side, "train.cutout", "%d: must not exceed the images' side of %d pixels", t.Cutout, side)
	return problems
}
