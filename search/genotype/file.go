package genotype

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	return replaceFile(path, data)
}

func replaceFile(path string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			temp.Close()
			os.Remove(temp.Name())
		}
	}()
	if _, err = temp.Write(data); err != nil {
		return err
	}
	if err = temp.Chmod(0o644); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
