package config

import "reflect"

// Default returns the defaults: the paper's CIFAR settings where it states them,
// the released script's where it does not, on Fashion-MNIST.
func Default() *Config {
	c := new(Config)
	fields := c.fields()
	for _, k := range keys {
		field, preset := fields[k.Name], reflect.ValueOf(k.preset).Convert(fields[k.Name].Type())
		if field.Kind() == reflect.Slice {
			preset = reflect.AppendSlice(reflect.MakeSlice(field.Type(), 0, preset.Len()), preset)
		}
		field.Set(preset)
	}
	return c
}
