// Package registry lists the tasks.
package registry

import (
	"fmt"

	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
	"github.com/spikedhs/spikedhs/train/task/stereo"
)

// all tasks; a configuration is one of the first that owns it.
var all = []task.Task{stereo.Task{}, classify.Task{}}

// Of is the task of a configuration.
func Of(c *config.Config) task.Task {
	for _, t := range all {
		if t.Owns(c) {
			return t
		}
	}
	return nil // the last one owns all
}

// Resolve is the genotype of a preset or a file for a task. A genotype for another one
// is told as such.
func Resolve(t task.Task, name string) (task.Genotype, error) {
	g, err := t.Resolve(name)
	if err == nil {
		return g, nil
	}
	for _, other := range all {
		if other == t {
			continue
		}
		if _, wrong := other.Resolve(name); wrong == nil {
			return nil, fmt.Errorf("%w: %s is a genotype for %s; this run is one of %s, which takes one such as %v",
				config.ErrInvalid, name, other.Name(), t.Name(), t.Presets())
		}
	}
	return nil, err
}
