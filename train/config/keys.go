package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
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

	index  []int // of the field in Config
	preset any   // the default, as TOML is decoded
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
	return render(untouched()[k.Name])
}

var untouched = sync.OnceValue(func() map[string]reflect.Value { return Default().fields() })

// Keys returns every key in the order in which [Config.Encode] writes them.
func Keys() []Key { return slices.Clone(keys) }

// section describes one table of the configuration.
type section struct {
	name string
	doc  string
	at   reflect.StructField // of Config
}

var sections = func() (list []section) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if !f.Anonymous { // the fields of Tasks come next
			list = append(list, section{f.Tag.Get("toml"), f.Tag.Get("doc"), f})
		}
	}
	return list
}()

// keys are those of all sections, as the tags of their fields say.
var keys = func() (list []Key) {
	for _, s := range sections {
		for _, f := range reflect.VisibleFields(s.at.Type) {
			if f.Anonymous {
				continue
			}
			name := s.name + "." + f.Tag.Get("toml")
			text, source, _ := strings.Cut(cmp.Or(f.Tag.Get(s.name), f.Tag.Get("default")), "(")
			preset, err := settingValue(f.Type.Kind(), strings.TrimSpace(text))
			if err != nil { // a mistake in the tag, as in Default
				panic(fmt.Sprintf("config: default of %s: %v", name, err))
			}
			list = append(list, Key{
				Name: name, Doc: f.Tag.Get("doc"), Unit: f.Tag.Get("unit"), Source: strings.TrimSuffix(source, ")"),
				index: slices.Concat(s.at.Index, f.Index), preset: preset, rule: ruleOf(f.Tag.Get("allowed")),
			})
		}
	}
	return list
}()

// Default returns the defaults: the paper's CIFAR settings where it states them,
// the released script's where it does not, on Fashion-MNIST.
func Default() *Config {
	c := new(Config)
	fields := c.fields()
	for _, k := range keys {
		if wants := assign(fields[k.Name], k.preset); wants != "" {
			panic(fmt.Sprintf("config: default of %s: want %s", k.Name, wants))
		}
	}
	return c
}

func isSection(name string) bool {
	return slices.ContainsFunc(sections, func(s section) bool { return s.name == name })
}

func isKey(name string) bool {
	return slices.ContainsFunc(keys, func(k Key) bool { return k.Name == name })
}

// fields maps the full name of every key to its field in c.
func (c *Config) fields() map[string]reflect.Value {
	fields := make(map[string]reflect.Value, len(keys))
	for _, k := range keys {
		fields[k.Name] = reflect.ValueOf(c).Elem().FieldByIndex(k.index)
	}
	return fields
}

// Value returns the value of the key with the given full name as TOML, and whether
// there is such a key.
func (c *Config) Value(key string) (string, bool) {
	field, ok := c.fields()[key]
	if !ok {
		return "", false
	}
	return render(field), true
}

// render returns the value of a field as TOML.
func render(field reflect.Value) string {
	if field.Kind() == reflect.Slice && field.Len() == 0 {
		return "[]"
	}
	document, err := toml.Marshal(map[string]any{"v": field.Interface()})
	if err != nil { // a field of a type that TOML has no value for: a mistake in Config itself
		panic(fmt.Sprintf("config: %v", err))
	}
	return strings.TrimSpace(strings.TrimPrefix(string(document), "v = "))
}

// Diff returns the full names of the keys whose values differ, in the order of
// [Keys]. [Config.Value] gives the values.
func Diff(a, b *Config) []string {
	var changed []string
	left, right := a.fields(), b.fields()
	for _, k := range keys {
		if render(left[k.Name]) != render(right[k.Name]) {
			changed = append(changed, k.Name)
		}
	}
	return changed
}
