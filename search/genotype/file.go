package genotype

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFileSize bounds what Load reads; a genotype takes about two kilobytes.
const maxFileSize = 1 << 20

// Load reads a genotype from a JSON file.
func Load(path string) (Genotype, error) {
	data, err := readFile(path)
	if err != nil {
		return Genotype{}, err
	}
	g, err := Parse(data)
	if err != nil {
		return Genotype{}, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// readFile reads a file of at most maxFileSize bytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileSize {
		return nil, fmt.Errorf("%s: %w", path,
			invalid(documentRoot, "larger than %d bytes; give a genotype file", maxFileSize))
	}
	return data, nil
}

// Save writes the genotype to a JSON file. The file is replaced in one step: a
// reader, or a crash, sees the old content or the new one and nothing between.
func (g Genotype) Save(path string) error {
	data, err := g.Encode()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // of a failure; behind a success there is no such file
	_, err = temp.Write(data)
	if err = cmp.Or(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

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
	file := filepath.Base(path)
	var g Genotype
	cell, err := ReadNPY(f)
	if err == nil {
		g, err = New(strings.TrimSuffix(file, filepath.Ext(file)), cell, nil)
	}
	if err != nil {
		return Genotype{}, fmt.Errorf("%s: %w", path, err)
	}
	g.Origin = "converted from " + file
	return g, nil
}
