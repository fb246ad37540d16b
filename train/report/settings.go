package report

import "github.com/spikedhs/spikedhs/train/config"

// settings are the keys of a section of the configuration.
type settings struct {
	Section string
	Keys    []setting
}

// setting is a key and its value.
type setting struct {
	Name, Value string
	Default     string // if the value is another one
	Doc         string
}

// newSettings lists the whole configuration and counts what is not the default.
func newSettings(c *config.Config) (all []settings, changed int) {
	for _, key := range config.Keys() {
		if len(all) == 0 || all[len(all)-1].Section != key.Section() {
			all = append(all, settings{Section: key.Section()})
		}
		value, _ := c.Value(key.Name) // it is one of the keys
		s := setting{Name: key.Name, Value: value, Doc: key.Doc}
		if key.Unit != "" {
			s.Doc += " (" + key.Unit + ")"
		}
		if usual := key.Default(); usual != value {
			s.Default = usual
			changed++
		}
		group := &all[len(all)-1]
		group.Keys = append(group.Keys, s)
	}
	return all, changed
}
