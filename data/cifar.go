package data

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

const (
	cifarSide   = 32
	cifarPixels = 3 * cifarSide * cifarSide // red, green and blue planes
	namesLimit  = 1 << 16                   // bytes of a file of class names
)

// cifarFormat is the binary version of a CIFAR set: files of records, each one
// or two label bytes followed by the pixels of one image.
type cifarFormat struct {
	folder  string // folder inside the published archive
	archive string // file name of the published archive
	train   recordFiles
	test    recordFiles
	labels  []int  // number of classes of each label byte of a record
	use     int    // the label byte that is the label
	names   string // file of class names, one a line; it may be absent
}

// recordFiles are the files of one split in order, and the records in each.
type recordFiles struct {
	names   []string
	records int
}

func (f *cifarFormat) split(s Split) recordFiles {
	if s == Test {
		return f.test
	}
	return f.train
}

// find implements format: place may be the archive, the unpacked folder, or a
// folder that holds either.
func (f *cifarFormat) find(place string, split Split) (string, bool) {
	first := f.split(split).names[0]
	archive := filepath.Join(place, f.archive)
	inner := filepath.Join(place, f.folder)
	switch {
	case isFile(place):
		return place, true
	case isFile(filepath.Join(place, first)):
		return place, true
	case isFile(filepath.Join(inner, first)):
		return inner, true
	case isFile(archive):
		return archive, true
	}
	return "", false
}

// load implements format.
func (f *cifarFormat) load(ctx context.Context, src *source, where string, split Split, _ OpenOptions) (Dataset, error) {
	part := f.split(split)
	total := part.records * len(part.names)
	pixels, labels := make([]byte, total*cifarPixels), make([]int, total)
	classes := src.classes
	seen := map[string]bool{}

	err := eachMember(ctx, where, append(slices.Clone(part.names), f.names), func(name string, r io.Reader) (err error) {
		if seen[name] {
			return malformed("a second %s", name)
		}
		seen[name] = true
		if name == f.names {
			classes, err = readNames(r, len(src.classes))
			return err
		}
		from := part.records * slices.Index(part.names, name)
		to := from + part.records
		return f.decode(r, pixels[from*cifarPixels:to*cifarPixels], labels[from:to])
	})
	if err != nil {
		return nil, err
	}
	for _, name := range part.names {
		if !seen[name] {
			return nil, fmt.Errorf("%s has no %s: %w", where, name, ErrNotFound)
		}
	}
	return NewMemory(src.name, classes, 3, cifarSide, cifarSide, pixels, labels)
}

// decode reads exactly len(labels) records, which must be all that r has.
func (f *cifarFormat) decode(r io.Reader, pixels []byte, labels []int) error {
	buffered := bufio.NewReaderSize(r, 1<<16)
	head := make([]byte, len(f.labels))
	for i := range labels {
		if _, err := io.ReadFull(buffered, head); err != nil {
			return fmt.Errorf("record %d of %d: %w", i+1, len(labels), contentError(err))
		}
		for k, label := range head {
			if int(label) >= f.labels[k] {
				return malformed("record %d has label %d of %d classes", i+1, label, f.labels[k])
			}
		}
		labels[i] = int(head[f.use])
		if _, err := io.ReadFull(buffered, pixels[i*cifarPixels:(i+1)*cifarPixels]); err != nil {
			return fmt.Errorf("record %d of %d: %w", i+1, len(labels), contentError(err))
		}
	}
	return expectEOF(buffered)
}

// readNames reads one class name a line and wants n of them.
func readNames(r io.Reader, n int) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(r, namesLimit))
	if err != nil {
		return nil, contentError(err)
	}
	names := strings.Fields(string(text))
	if len(names) != n {
		return nil, malformed("%d class names, want %d", len(names), n)
	}
	return names, nil
}
