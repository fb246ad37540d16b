package genotype

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Resolve returns the genotype that a user means by a preset name, the path of a
// JSON file, or the path of a published .npy file. A file that is named like a
// preset can be given as ./NAME. An .npy file holds one cell and no more, so its
// genotype down-samples by nearest interpolation and has no path.
func Resolve(nameOrPath string) (Genotype, error) {
	if slices.Contains(Presets(), nameOrPath) {
		return Preset(nameOrPath)
	}
	load := Load
	if strings.EqualFold(filepath.Ext(nameOrPath), ".npy") {
		load = loadNPY
	}
	g, err := load(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return Genotype{}, fmt.Errorf("genotype %q: %w; give a JSON or .npy file or a preset: %s",
			nameOrPath, fs.ErrNotExist, strings.Join(Presets(), ", "))
	}
	return g, err
}

func loadNPY(path string) (Genotype, error) {
	f, err := os.Open(path)
	if err != nil {
		return Genotype{}, err
	}
	defer f.Close()
	cell, err := ReadNPY(f)
	if err != nil {
		return Genotype{}, fmt.Errorf("%s: %w", path, err)
	}
	file := filepath.Base(path)
	g, err := New(strings.TrimSuffix(file, filepath.Ext(file)), cell, nil)
	if err != nil {
		return Genotype{}, fmt.Errorf("%s: %w", path, err)
	}
	g.Origin = "converted from " + file
	return g, nil
}
