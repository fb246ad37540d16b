package config

import (
	"fmt"
	"reflect"
	"strings"
)

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
