package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/genotype"
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

// rule is what the value of one key must meet.
type rule struct {
	words func() string // what is allowed
	holds func(reflect.Value) bool
}

// ruleOf is the rule that a tag states: in the words of lists, of special, of bounds, or
// "a, b or c" for one of these texts. Without words everything is allowed.
func ruleOf(allowed string) rule {
	r := rule{words: func() string { return allowed }}
	names, isList := lists[allowed]
	numbers, isNumber := bounds(strings.TrimPrefix(strings.TrimPrefix(allowed, "a list of numbers "), "from "))
	switch {
	case allowed == "":
		r.holds = func(reflect.Value) bool { return true }
	case isList:
		return names
	case special[allowed] != nil:
		r.holds = special[allowed]
	case isNumber:
		r.holds = func(v reflect.Value) bool { return all(v, numbers) }
	default:
		values := strings.Split(strings.Replace(allowed, " or ", ", ", 1), ", ")
		r.holds = func(v reflect.Value) bool { return slices.Contains(values, v.String()) }
	}
	return r
}

// bounds reads what numbers are allowed. NaN and the infinities never are.
func bounds(words string) (ok func(float64) bool, found bool) {
	var low, high float64
	is := func(format string, into ...any) bool {
		n, err := fmt.Sscanf(words, format, into...)
		return err == nil && n == len(into)
	}
	switch {
	case words == "any number":
		return func(float64) bool { return true }, true
	case words == "an odd number from 3 on":
		return func(x float64) bool { return x >= 3 && math.Mod(x, 2) == 1 }, true
	case is("above %g and up to %g", &low, &high):
		return func(x float64) bool { return x > low && x <= high }, true
	case is("at least %g and below %g", &low, &high):
		return func(x float64) bool { return x >= low && x < high }, true
	case is("above %g", &low):
		return func(x float64) bool { return x > low }, true
	case is("at least %g", &low):
		return func(x float64) bool { return x >= low }, true
	case is("%g to %g", &low, &high):
		return func(x float64) bool { return x >= low && x <= high }, true
	}
	return nil, false
}

// all tells whether a number, or each of a list, is allowed.
func all(v reflect.Value, ok func(float64) bool) bool {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			if !all(v.Index(i), ok) {
				return false
			}
		}
		return true
	case reflect.Float64:
		return !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0) && ok(v.Float())
	}
	return ok(float64(v.Int()))
}

// ownData are the values of data.name that stand for the data of a task.
var ownData []string

// lists are rules about names of which more may be registered.
var lists = map[string]rule{
	"data sets": {
		words: func() string { return choice(dataSets()) },
		holds: func(v reflect.Value) bool { return slices.Contains(dataSets(), v.String()) },
	},
	"operations": {
		words: func() string { return "a list of " + choice(genotype.KnownOps()) + ", each once" },
		holds: func(v reflect.Value) bool {
			list, _ := v.Interface().([]string)
			for i, name := range list {
				if !slices.Contains(genotype.KnownOps(), name) || slices.Contains(list[:i], name) {
					return false
				}
			}
			return len(list) > 0
		},
	},
}

func dataSets() []string { return append(data.Names(), ownData...) }

// choice is "a, b or c".
func choice(values []string) string {
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}

var (
	devicePattern = regexp.MustCompile(`^(auto|cpu|cuda(:[0-9]{1,3})?)$`)

	// surrogatePattern are the families that are built in (spike.Families), and those that
	// a Go program registers, which only the network can check.
	surrogatePattern = regexp.MustCompile(`^(dspike|triangular|superspike|arctan|rectangular|exponential|go:[a-z][a-z0-9-]*)$`)
)

// special are rules by what they allow.
var special = map[string]func(reflect.Value) bool{
	"one line of text":          func(v reflect.Value) bool { return oneLine(v.String()) },
	"auto, cpu, cuda or cuda:N": func(v reflect.Value) bool { return devicePattern.MatchString(v.String()) },
	"dspike, triangular, superspike, arctan, rectangular, exponential or go:NAME of a registered family": func(v reflect.Value) bool {
		return surrogatePattern.MatchString(v.String())
	},
	"a list of names or patterns": func(v reflect.Value) bool {
		return !slices.ContainsFunc(v.Interface().([]string), func(name string) bool { return name == "" || !oneLine(name) })
	},
	"a list of 1 to 4 numbers from 1 to 3": integers(func(list []int) bool {
		return within(list, 1, 3) && len(list) >= 1 && len(list) <= 4
	}),
	"[] or [width, height], each 1 to 65536": integers(func(list []int) bool { return isPair(list, 65536) }),
	"[] or [height, width], each 1 to 8192":  integers(func(list []int) bool { return isPair(list, 8192) }),
	"a list that starts at 0 or 1 and changes by at most 1 from cell to cell": integers(func(list []int) bool {
		previous := 0
		for _, level := range list {
			if level < 0 || level < previous-1 || level > previous+1 {
				return false
			}
			previous = level
		}
		return len(list) > 0
	}),
	"a list of numbers above 0, each larger than the one before": integers(func(list []int) bool {
		before := 0
		for _, n := range list {
			if n <= before {
				return false
			}
			before = n
		}
		return true
	}),
}

func integers(ok func(list []int) bool) func(reflect.Value) bool {
	return func(v reflect.Value) bool { return ok(v.Interface().([]int)) }
}

// within tells whether all numbers of a list are in a range.
func within(list []int, low, high int) bool {
	return !slices.ContainsFunc(list, func(n int) bool { return n < low || n > high })
}

// isPair tells whether a list has none or two sides of a picture.
func isPair(list []int, most int) bool {
	return within(list, 1, most) && (len(list) == 0 || len(list) == 2)
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
