package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/configs"
)

// Load returns the defaults with source over them and sets over that, checked.
//
// A source with a slash in it or with the ending .toml is a file; any other is the
// name of a preset of package configs or, where there is no such preset, an
// existing file. An empty source is no source. Each of sets is
// "section.key=value" with a TOML value; text may go without quotes.
//
// The error is one line, says where the mistake is, and wraps [ErrInvalid].
func Load(source string, sets []string) (*Config, error) {
	l := newLayers()
	if source != "" {
		name, text, err := read(source)
		if err != nil {
			return nil, err
		}
		if err := l.apply(name, text); err != nil {
			return nil, err
		}
	}
	for _, text := range sets {
		if err := l.set(text); err != nil {
			return nil, err
		}
	}
	return l.finish()
}

// Parse returns the defaults with a TOML document over them, checked. The name
// stands for the document in errors.
func Parse(name string, document []byte) (*Config, error) {
	l := newLayers()
	if err := l.apply(name, string(document)); err != nil {
		return nil, err
	}
	return l.finish()
}

// layers are a configuration in the making.
type layers struct {
	c     *Config
	where origins
	old   map[string]any // values that moved keys were given under their old names, by the new ones
	given map[string]layer
	both  []movedKey // that a document gave under both names
}

// layer is what gave a moved key a value, under the one name or the other.
type layer int

const (
	document layer = iota + 1
	settings
)

func newLayers() *layers {
	return &layers{c: Default(), where: origins{}, old: map[string]any{}, given: map[string]layer{}}
}

// apply sets every key of a TOML document and notes where it stands.
func (l *layers) apply(name, text string) error {
	tree, err := parse(text)
	if err != nil {
		line, message := syntaxError(err)
		return fmt.Errorf("%w: %s:%d: %s", ErrInvalid, name, line, message)
	}
	lines := keyLines(text)
	for key, line := range lines {
		l.where[key] = fmt.Sprintf("%s:%d", name, line)
	}
	l.move(tree, strings.HasPrefix(text, heading))
	return invalid(inOrder(l.c.bind(tree), lines), l.where)
}

// finish gives moved keys their values and checks the result.
func (l *layers) finish() (*Config, error) {
	problems := l.moved()
	if problems == nil {
		problems = l.c.problems()
	}
	if err := invalid(problems, l.where); err != nil {
		return nil, err
	}
	return l.c, nil
}

// read returns the text of a source and the name it has in errors.
func read(source string) (name, document string, err error) {
	if !isPath(source) && slices.Contains(configs.Names(), source) {
		preset, err := configs.Read(source)
		return source + ".toml", string(preset), err
	}
	content, err := os.ReadFile(source)
	if err == nil {
		return source, string(content), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("%w: cannot read %s: %w", ErrInvalid, quote(source), plain(err))
	}
	if isPath(source) {
		return "", "", fmt.Errorf("%w: there is no file %s%s", ErrInvalid, quote(source), presetHint(source))
	}
	return "", "", fmt.Errorf("%w: there is no preset and no file %s; the presets are %s",
		ErrInvalid, quote(source), strings.Join(configs.Names(), ", "))
}

func isPath(source string) bool {
	return strings.ContainsAny(source, `/`+string(filepath.Separator)) || strings.HasSuffix(source, ".toml")
}

// presetHint names the preset that someone who asked for a file may have meant.
func presetHint(source string) string {
	name := strings.TrimSuffix(filepath.Base(source), ".toml")
	if slices.Contains(configs.Names(), name) {
		return "; did you mean the preset " + name + "?"
	}
	return ""
}

// plain strips the operation and the path, which the message has already.
func plain(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// movedKey is a key of a task's section that is one of all tasks now. Files with the old
// name mean what they meant; elsewhere the task has a default of its own.
type movedKey struct {
	old, key string
	owns     func(*Config) bool // whether a configuration is one of the task
	preset   any                // the task's default, as TOML is decoded
}

var movedKeys []movedKey

// move takes the old names out of a document. Both names are a mistake of a document of the
// task, but where it lists every key, as a run records it: there the old one is what counted.
func (l *layers) move(tree map[string]any, recorded bool) {
	at := func(key string) (table map[string]any, name string, given bool) {
		section, name, _ := strings.Cut(key, ".")
		table, _ = tree[section].(map[string]any)
		_, given = table[name]
		return table, name, given
	}
	for _, m := range movedKeys {
		table, name, isOld := at(m.old)
		_, _, isNew := at(m.key)
		if isOld && isNew && !recorded {
			l.both = append(l.both, m)
		}
		if isOld {
			l.old[m.key] = table[name]
			delete(table, name)
		} else if isNew {
			l.given[m.key] = document
		}
	}
}

// twice says that a key was given under both names.
func (m movedKey) twice() string {
	return fmt.Sprintf("%s is called %s now, which is given, too; leave %[1]s out", m.old, m.key)
}

// rename is the key of a setting, which may have its old name; a mistake where both are set.
func (l *layers) rename(name string) (key string, old bool, mistake string) {
	for _, m := range movedKeys {
		if name != m.old && name != m.key {
			continue
		}
		if name == m.old && l.given[m.key] == settings || name == m.key && l.given[m.old] == settings {
			mistake = m.twice()
		}
		l.given[name] = settings
		delete(l.old, m.key) // of the document
		return m.key, name == m.old, mistake
	}
	return name, false, ""
}

// moved gives moved keys their values once it is known which task they are of; those of
// other tasks mean nothing.
func (l *layers) moved() (problems []problem) {
	fields := l.c.fields()
	for _, m := range l.both {
		if m.owns(l.c) {
			problems = append(problems, problem{m.old, m.twice()})
		}
	}
	for _, m := range movedKeys {
		value, isOld := l.old[m.key]
		if !m.owns(l.c) || !isOld && l.given[m.key] != 0 {
			continue
		}
		if origin, ok := l.where[m.old]; ok && isOld {
			l.where[m.key] = origin
		}
		if !isOld {
			value = m.preset
		}
		if wants := assign(fields[m.key], value); wants != "" {
			problems = append(problems, problem{m.key, fmt.Sprintf("%s wants %s, not %s", m.old, wants, describe(value))})
		}
	}
	return problems
}
