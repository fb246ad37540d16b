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

// rule is what the value of one key must meet. The zero rule allows everything.
type rule struct {
	allowed string // in words
	ok      func(reflect.Value) bool
	values  func() []string // in place of both: one of these, of which more may be registered
	each    func() []string // in place of all: a list of different ones of these
}

func (r rule) holds(v reflect.Value) bool {
	if r.values != nil {
		return slices.Contains(r.values(), v.String())
	}
	if r.each != nil {
		list, _ := v.Interface().([]string)
		for i, name := range list {
			if !slices.Contains(r.each(), name) || slices.Contains(list[:i], name) {
				return false
			}
		}
		return len(list) > 0
	}
	return r.ok == nil || r.ok(v)
}

func (r rule) words() string {
	if r.values != nil {
		return choice(r.values())
	}
	if r.each != nil {
		return "a list of " + choice(r.each()) + ", each once"
	}
	return r.allowed
}

// dataSet is a rule about the name of a data set: a registered one, or that of a task.
var dataSet = rule{values: func() []string { return append(data.Names(), ownData...) }}

// ownData are the values of data.name that stand for the data of a task.
var ownData []string

// operationList is a rule about candidate operations.
var operationList = rule{each: genotype.KnownOps}

// number is a rule about an integer or a float. NaN and the infinities never meet it.
func number(allowed string, ok func(float64) bool) rule {
	return rule{allowed: allowed, ok: func(v reflect.Value) bool {
		x := asFloat(v)
		return !math.IsNaN(x) && !math.IsInf(x, 0) && ok(x)
	}}
}

func asFloat(v reflect.Value) float64 {
	if v.CanInt() {
		return float64(v.Int())
	}
	return v.Float()
}

func atLeast(low float64) rule {
	return number(fmt.Sprintf("at least %g", low), func(x float64) bool { return x >= low })
}

func between(low, high float64) rule {
	return number(fmt.Sprintf("%g to %g", low, high), func(x float64) bool { return x >= low && x <= high })
}

var (
	positive = number("above 0", func(x float64) bool { return x > 0 })
	decay    = number("above 0 and up to 1", func(x float64) bool { return x > 0 && x <= 1 })
	fraction = number("at least 0 and below 1", func(x float64) bool { return x >= 0 && x < 1 })
)

// each is a rule about every element of a list of numbers.
func each(allowed string, ok func(float64) bool) rule {
	one := number(allowed, ok)
	return rule{allowed: "a list of " + allowed, ok: func(v reflect.Value) bool {
		for i := range v.Len() {
			if !one.holds(v.Index(i)) {
				return false
			}
		}
		return true
	}}
}

// text is a rule about a string.
func text(allowed string, ok func(string) bool) rule {
	return rule{allowed: allowed, ok: func(v reflect.Value) bool { return ok(v.String()) }}
}

// choice is "a, b or c".
func choice(values []string) string {
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}

func oneOf(values ...string) rule {
	return text(choice(values), func(s string) bool { return slices.Contains(values, s) })
}

var oddFromThree = number("an odd number from 3 on", func(x float64) bool { return x >= 3 && math.Mod(x, 2) == 1 })

// layerList is a list of names or patterns of layers.
var layerList = rule{allowed: "a list of names or patterns", ok: func(v reflect.Value) bool {
	for i := range v.Len() {
		if name := v.Index(i); name.String() == "" || !oneLine.holds(name) {
			return false
		}
	}
	return true
}}

var oneLine = text("one line of text", func(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
})

var devicePattern = regexp.MustCompile(`^(auto|cpu|cuda(:[0-9]{1,3})?)$`)

var device = text("auto, cpu, cuda or cuda:N", devicePattern.MatchString)

// surrogates are the families that are built in (spike.Families); go:NAME is one
// that a Go program registers, which only the network can check.
var surrogates = []string{"dspike", "triangular", "superspike", "arctan", "rectangular", "exponential"}

var surrogatePattern = regexp.MustCompile(`^go:[a-z][a-z0-9-]*$`)

var surrogate = text(strings.Join(surrogates, ", ")+" or go:NAME of a registered family", func(s string) bool {
	return slices.Contains(surrogates, s) || surrogatePattern.MatchString(s)
})

var strides = rule{allowed: "a list of 1 to 4 numbers from 1 to 3", ok: func(v reflect.Value) bool {
	for i := range v.Len() {
		if n := v.Index(i).Int(); n < 1 || n > 3 {
			return false
		}
	}
	return v.Len() >= 1 && v.Len() <= 4
}}

var levelList = rule{allowed: "a list that starts at 0 or 1 and changes by at most 1 from cell to cell", ok: func(v reflect.Value) bool {
	previous := 0
	for i := range v.Len() {
		level := int(v.Index(i).Int())
		if level < 0 || level < previous-1 || level > previous+1 {
			return false
		}
		previous = level
	}
	return v.Len() > 0
}}

var sensorSize = rule{allowed: "[] or [width, height], each 1 to 65536", ok: func(v reflect.Value) bool {
	for i := range v.Len() {
		if n := v.Index(i).Int(); n < 1 || n > 1<<16 {
			return false
		}
	}
	return v.Len() == 0 || v.Len() == 2
}}

var cropSize = rule{allowed: "[] or [height, width], each 1 to 8192", ok: func(v reflect.Value) bool {
	for i := range v.Len() {
		if n := v.Index(i).Int(); n < 1 || n > 8192 {
			return false
		}
	}
	return v.Len() == 0 || v.Len() == 2
}}

var ascending = rule{allowed: "a list of numbers above 0, each larger than the one before", ok: func(v reflect.Value) bool {
	before := int64(0)
	for i := range v.Len() {
		if v.Index(i).Int() <= before {
			return false
		}
		before = v.Index(i).Int()
	}
	return true
}}
