package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

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
