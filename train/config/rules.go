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

// integers is a rule about a list of integers.
func integers(allowed string, ok func(list []int) bool) rule {
	return rule{allowed: allowed, ok: func(v reflect.Value) bool { return ok(v.Interface().([]int)) }}
}

// within tells whether all numbers of a list are in a range.
func within(list []int, low, high int) bool {
	return !slices.ContainsFunc(list, func(n int) bool { return n < low || n > high })
}

var strides = integers("a list of 1 to 4 numbers from 1 to 3", func(list []int) bool {
	return within(list, 1, 3) && len(list) >= 1 && len(list) <= 4
})

var levelList = integers("a list that starts at 0 or 1 and changes by at most 1 from cell to cell", func(list []int) bool {
	previous := 0
	for _, level := range list {
		if level < 0 || level < previous-1 || level > previous+1 {
			return false
		}
		previous = level
	}
	return len(list) > 0
})

// pair is a rule about a list of no or of two sides of a picture.
func pair(names string, most int) rule {
	return integers(fmt.Sprintf("[] or [%s], each 1 to %d", names, most), func(list []int) bool {
		return within(list, 1, most) && (len(list) == 0 || len(list) == 2)
	})
}

var ascending = integers("a list of numbers above 0, each larger than the one before", func(list []int) bool {
	before := 0
	for _, n := range list {
		if n <= before {
			return false
		}
		before = n
	}
	return true
})
