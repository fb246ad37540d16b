// Package registry lists the tasks.
package registry

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
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

// Owner is the task of a genotype; nil where it is for none.
func Owner(g genotype.Genotype) task.Task {
	for _, t := range all {
		if g.Has(t.Subnets()...) {
			return t
		}
	}
	return nil
}

// Genotype is the genotype of a preset or a file for a task. One for another task is
// told as such.
func Genotype(t task.Task, name string) (genotype.Genotype, error) {
	g, err := genotype.Resolve(name)
	if err != nil || g.Has(t.Subnets()...) {
		return g, err
	}
	kind := "something else"
	if other := Owner(g); other != nil {
		kind = other.Name()
	}
	return g, fmt.Errorf("%w: %s is a genotype for %s; this run is one of %s, which takes one such as %v",
		config.ErrInvalid, name, kind, t.Name(), genotype.Presets(t.Subnets()...))
}
