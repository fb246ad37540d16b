package config

import (
	"fmt"
	"strings"
)

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
