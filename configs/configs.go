// Package configs holds the presets: configurations that are part of the program.
//
//	fashion-mnist-demo   search and training in minutes on a CPU
//	fashion-mnist        a full run on Fashion-MNIST
//	cifar10-paper        CIFAR-10 as the paper describes it
//	cifar100-paper       CIFAR-100 as the paper describes it
//	cifar10-reference    CIFAR-10 as the authors' released scripts do it
//	n-mnist              events: N-MNIST, or a part of it, on a CPU
//	cifar10-dvs          events: CIFAR10-DVS on a GPU
//
// A preset is a TOML document over the defaults of package train/config. Its head
// says where its numbers come from and what it is for. "--config NAME" uses one.
package configs

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.toml
var files embed.FS

const extension = ".toml"

// Names returns the names of all presets in alphabetical order.
func Names() []string {
	paths, err := fs.Glob(files, "*"+extension)
	if err != nil {
		panic(err) // only a malformed pattern fails, and this one is not
	}
	for i, path := range paths {
		paths[i] = strings.TrimSuffix(path, extension)
	}
	slices.Sort(paths) // without the extension "a" comes before "a-b"
	return paths
}

// Read returns the TOML text of a preset. The error of a name that is not among
// [Names] wraps [fs.ErrNotExist].
func Read(name string) ([]byte, error) {
	text, err := files.ReadFile(name + extension)
	if err != nil {
		return nil, fmt.Errorf("no preset %q among %s: %w", name, strings.Join(Names(), ", "), fs.ErrNotExist)
	}
	return text, nil
}
