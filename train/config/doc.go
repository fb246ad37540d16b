// Package config is the configuration of SpikeDHS: what a run does, key by key.
//
// A configuration comes from three layers, each over the one before it:
//
//  1. [Default], the defaults of every key;
//  2. a TOML source: a preset of package configs, or a file;
//  3. settings of the form section.key=value, as given with --set.
//
// [Load] applies the three and checks the result:
//
//	cfg, err := config.Load("cifar10-paper", []string{"search.epochs=10", "run.device=cuda:1"})
//
// Whatever is wrong is reported in one line that says where: file and line, or
// the text of the setting. Such errors wrap [ErrInvalid].
//
//	cifar10-paper.toml:12: unknown key search.epoch; did you mean search.epochs?
//
// One table, returned by [Keys], describes every key: its meaning, unit, allowed
// values, default and the source of that default. [Config.Validate], the comments
// that [Config.Encode] writes and the reference that [WriteReference] writes all
// come from it.
package config
