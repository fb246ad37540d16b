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
	slices.Sort(paths)
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
