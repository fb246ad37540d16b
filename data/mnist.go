package data

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// mnistFormat is a folder of IDX files, plain or gzipped: images and labels of
// each split. MNIST and Fashion-MNIST use the same file names.
type mnistFormat struct{}

func (mnistFormat) imageFile(s Split) string { return mnistPrefix(s) + "-images-idx3-ubyte" }
func (mnistFormat) labelFile(s Split) string { return mnistPrefix(s) + "-labels-idx1-ubyte" }

func mnistPrefix(s Split) string {
	if s == Test {
		return "t10k"
	}
	return "train"
}

// find implements format: the folder itself, when it has the images.
func (f mnistFormat) find(place string, split Split) (string, bool) {
	_, ok := plainOrGzip(filepath.Join(place, f.imageFile(split)))
	return place, ok
}

// load implements format.
func (f mnistFormat) load(ctx context.Context, src *source, folder string, split Split, _ OpenOptions) (Dataset, error) {
	sizes, pixels, err := readIDXFile(ctx, filepath.Join(folder, f.imageFile(split)), 3)
	if err != nil {
		return nil, err
	}
	labelPath := filepath.Join(folder, f.labelFile(split))
	_, values, err := readIDXFile(ctx, labelPath, 1)
	if err != nil {
		return nil, err
	}
	if len(values) != sizes[0] {
		return nil, malformed("%s: %d labels for %d images", labelPath, len(values), sizes[0])
	}
	labels := make([]int, len(values))
	for i, v := range values {
		labels[i] = int(v)
	}
	set, err := NewMemory(src.name, src.classes, 1, sizes[1], sizes[2], pixels, labels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", labelPath, err)
	}
	return set, nil
}

// readIDXFile reads path, or path.gz where only that exists.
func readIDXFile(ctx context.Context, path string, axes int) ([]int, []byte, error) {
	name, ok := plainOrGzip(path)
	if !ok {
		return nil, nil, fmt.Errorf("%s(.gz) is missing: %w", path, ErrNotFound)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	var r io.Reader = bufio.NewReader(contextReader{ctx, file})
	if name != path {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, contentError(err))
		}
	}
	sizes, values, err := readIDX(r, axes)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return sizes, values, nil
}

// plainOrGzip is the one of path and path.gz that is a file, plain first.
func plainOrGzip(path string) (string, bool) {
	for _, name := range []string{path, path + ".gz"} {
		if isFile(name) {
			return name, true
		}
	}
	return "", false
}
