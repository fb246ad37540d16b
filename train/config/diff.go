package config

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
