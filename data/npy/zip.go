package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// ReadZip reads the named arrays of the .npz archive at path, as numpy.savez and
// numpy.savez_compressed write it.
func ReadZip(path string, names ...string) (map[string]*Array, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		if file := (*fs.PathError)(nil); errors.As(err, &file) {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w: %w; give a file written by numpy.savez", path, ErrFormat, err)
	}
	defer z.Close()
	members := map[string]*zip.File{}
	for _, f := range z.File {
		if name, ok := strings.CutSuffix(f.Name, ".npy"); ok {
			members[name] = f
		}
	}
	arrays := map[string]*Array{}
	for _, name := range names {
		f := members[name]
		if f == nil {
			return nil, fmt.Errorf("%s: %w: it has no array %q", path, ErrFormat, name)
		}
		a, err := readMember(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		arrays[name] = a
	}
	return arrays, nil
}

// readMember reads an array of an archive to the end, where its checksum is compared.
func readMember(f *zip.File) (*Array, error) {
	r, err := f.Open()
	if err != nil {
		return nil, malformed("%v", err)
	}
	defer r.Close()
	a, err := ReadWhole(r)
	if err != nil && !errors.Is(err, ErrFormat) {
		err = malformed("%v", err)
	}
	return a, err
}
