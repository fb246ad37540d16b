package config

import (
	"slices"
	"strings"
)

// Key describes one key of the configuration.
type Key struct {
	// Name is the full name, as in "search.lr".
	Name string
	// Doc is what the key means, in one phrase.
	Doc string
	// Unit is the unit of the value, empty for text and pure numbers.
	Unit string
	// Source is where the default comes from.
	Source string

	preset any // the default
	rule   rule
}

// Section returns the part of the name before the dot.
func (k Key) Section() string {
	section, _, _ := strings.Cut(k.Name, ".")
	return section
}

// Allowed returns the allowed values in words, empty where any value will do.
func (k Key) Allowed() string { return k.rule.words() }

// Default returns the default as TOML.
func (k Key) Default() string {
	text, _ := Default().Value(k.Name)
	return text
}

// Keys returns every key in the order in which [Config.Encode] writes them.
func Keys() []Key { return slices.Clone(keys) }

// section describes one table of the configuration.
type section struct {
	name string
	doc  string
}

var sections = []section{
	{"run", "Where and how a run computes"},
	{"data", "Which images are used and how they are loaded"},
	{"network", "The shape of the network and its neurons, shared by search and training"},
	{"search", "The architecture search"},
	{"train", "The training of a genotype from scratch"},
	{"dgs", "The search of surrogate gradients during a training (differentiable surrogate gradient search)"},
	{"eval", "The evaluation on the test images"},
}

// addSection puts the section of a task, with its keys, behind another.
func addSection(after string, s section, its []Key) {
	i := slices.IndexFunc(sections, func(s section) bool { return s.name == after })
	sections = slices.Insert(sections, i+1, s)
	last := 0
	for i, k := range keys {
		if k.Section() == after {
			last = i
		}
	}
	keys = slices.Insert(keys, last+1, its...)
}

func isSection(name string) bool {
	return slices.ContainsFunc(sections, func(s section) bool { return s.name == name })
}

func isKey(name string) bool {
	return slices.ContainsFunc(keys, func(k Key) bool { return k.Name == name })
}
