package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// bind sets the keys of a decoded TOML document and returns what does not fit.
func (c *Config) bind(tree map[string]any) []problem {
	var problems []problem
	fields := c.fields()
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		table, isTable := tree[name].(map[string]any)
		switch {
		case !isSection(name):
			problems = append(problems, unknown(name))
		case !isTable:
			problems = append(problems, problem{canonical(name), name + " wants a table, not " + describe(tree[name])})
		default:
			problems = append(problems, bindSection(fields, name, table)...)
		}
	}
	return problems
}

func bindSection(fields map[string]reflect.Value, section string, table map[string]any) []problem {
	var problems []problem
	for _, name := range slices.Sorted(maps.Keys(table)) {
		field, ok := fields[section+"."+name]
		if !ok {
			problems = append(problems, unknown(section, name))
			continue
		}
		if wants := assign(field, table[name]); wants != "" {
			key := canonical(section, name)
			problems = append(problems, problem{key, fmt.Sprintf("%s wants %s, not %s", key, wants, describe(table[name]))})
		}
	}
	return problems
}

// assign sets field to a decoded TOML value. If the value does not fit it returns
// what the field wants instead.
func assign(field reflect.Value, value any) (wants string) {
	switch field.Kind() {
	case reflect.Int, reflect.Int64:
		if n, ok := value.(int64); ok && !field.OverflowInt(n) {
			field.SetInt(n)
			return ""
		}
		return "an integer"
	case reflect.Float64:
		switch x := value.(type) {
		case float64:
			field.SetFloat(x)
			return ""
		case int64:
			field.SetFloat(float64(x))
			return ""
		}
		return "a number"
	case reflect.String:
		if s, ok := value.(string); ok {
			field.SetString(s)
			return ""
		}
		return "a string"
	case reflect.Bool:
		if b, ok := value.(bool); ok {
			field.SetBool(b)
			return ""
		}
		return "true or false"
	case reflect.Slice:
		return assignList(field, value)
	}
	panic("config: no TOML value fits a field of type " + field.Type().String())
}

func assignList(field reflect.Value, value any) (wants string) {
	list, ok := value.([]any)
	if !ok {
		return "a list"
	}
	elements := reflect.MakeSlice(field.Type(), len(list), len(list))
	for i, element := range list {
		if wants := assign(elements.Index(i), element); wants != "" {
			return "a list, each element " + wants
		}
	}
	field.Set(elements)
	return ""
}

// describe names a decoded TOML value in a message.
func describe(value any) string {
	switch v := value.(type) {
	case string:
		return "the string " + quote(v)
	case int64:
		return fmt.Sprintf("the integer %d", v)
	case float64:
		return fmt.Sprintf("the number %g", v)
	case bool:
		return fmt.Sprintf("the boolean %t", v)
	case time.Time:
		return "a date or time"
	case []any:
		return fmt.Sprintf("a list of %d elements", len(v))
	case map[string]any:
		return "a table"
	}
	return "a list of tables"
}

// set applies one setting of the form section.key=value and notes it.
func (l *layers) set(setting string) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: --set %s: %s", ErrInvalid, plainText(setting), fmt.Sprintf(format, args...))
	}
	name, text, ok := strings.Cut(setting, "=")
	name, text = strings.TrimSpace(name), strings.TrimSpace(text)
	if !ok || name == "" {
		return fail("want section.key=value")
	}
	key, old, mistake := l.rename(name)
	if mistake != "" {
		return fail("%s", mistake)
	}
	field, ok := l.c.fields()[key]
	if !ok {
		return fail("%s", unknown(strings.Split(name, ".")...).text)
	}
	value, err := settingValue(field.Kind(), text)
	if err != nil {
		return fail("%s is not a TOML value", quote(text))
	}
	l.where[name] = "--set " + plainText(setting)
	if old {
		l.old[key] = value
	} else if wants := assign(field, value); wants != "" {
		return fail("%s wants %s, not %s", name, wants, describe(value))
	}
	return nil
}

// settingValue reads the value of a setting. Text for a string needs no quotes, and
// what is not TOML is taken as text.
func settingValue(kind reflect.Kind, text string) (any, error) {
	quoted := strings.HasPrefix(text, `"`) || strings.HasPrefix(text, `'`)
	if kind == reflect.String && !quoted {
		return text, nil
	}
	tree, err := parse("v = " + text)
	switch value, ok := tree["v"]; {
	case err == nil && ok && len(tree) == 1:
		return value, nil
	case quoted:
		return nil, fmt.Errorf("%s is not a TOML string", text)
	}
	return text, nil
}

// plainText returns a setting as it was given or, if that would break the line, quoted.
func plainText(setting string) string {
	if oneLine(setting) {
		return setting
	}
	return quote(setting)
}
