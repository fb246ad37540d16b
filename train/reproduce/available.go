package reproduce

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
)

// errAbsent is wrapped by the error of a row that this build cannot train.
var errAbsent = errors.New("this build does not have")

// available reports the first key of settings that this build does not know.
func available(settings []string) error {
	for _, one := range settings {
		if key, _, _ := strings.Cut(one, "="); !isKey(key) {
			// A key of the user's own is a mistake, and config.Load explains it; these are ours.
			if section, _, _ := strings.Cut(key, "."); section == "dgs" || slices.Contains(later, key) {
				return fmt.Errorf("%w the setting %s", errAbsent, key)
			}
		}
	}
	return nil
}

// later are the keys that rows use and older builds do not know.
var later = []string{"network.surrogate", "network.activation"}

func isKey(name string) bool {
	return slices.ContainsFunc(config.Keys(), func(k config.Key) bool { return k.Name == name })
}

// preset returns a genotype by name. Its error wraps errAbsent where this build has
// none of that name.
func preset(name string) (genotype.Genotype, error) {
	if !slices.Contains(genotype.Presets(), name) {
		return genotype.Genotype{}, fmt.Errorf("%w the genotype %s", errAbsent, name)
	}
	return genotype.Preset(name)
}

// recorded are the settings that make a run record what figure 4 draws: the gradient
// of the first stem. All rows with neurons have them, so that rows of different
// experiments stay equal.
func recorded(r Row) []string {
	if r.analog() || !isKey("dgs.watch") {
		return nil
	}
	return []string{`dgs.watch=["stem0"]`}
}
