package events

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options say what a file does not.
type Options struct {
	// Width and Height are the sensor's in pixels. Default 0: what the file
	// declares, else the smallest that hold all events.
	Width, Height int
	// Columns is the order of the columns of .npy and .txt files: "xytp" or "txyp".
	// Default "" or "auto": found out by the ranges of the numbers.
	Columns string
	// Transpose exchanges rows and columns of AEDAT 2.0 files. The camera of
	// CIFAR10-DVS lay on its side; with this its pictures stand upright.
	Transpose bool
}

// Reader reads the content of a file of one format. Its errors wrap [ErrFormat];
// [Recording.Finish] ends its work.
type Reader func(content []byte, o Options) (*Recording, error)

// formats are the readers by the end of a file's name.
var formats = map[string]Reader{}

// Register adds the reader of the files whose names end in extension, such as ".bin",
// in small letters; it is for init functions. It panics where the end has a reader.
func Register(extension string, read Reader) {
	if !strings.HasPrefix(extension, ".") || formats[extension] != nil {
		panic("data/events: the end " + extension + " is none, or has a reader")
	}
	formats[extension] = read
}

// Extensions lists the ends of the names of files that [Open] reads.
func Extensions() []string { return slices.Sorted(maps.Keys(formats)) }

// Known tells whether [Open] knows the format of a file, by its name.
func Known(path string) bool {
	_, ok := formats[strings.ToLower(filepath.Ext(path))]
	return ok
}

// sizeLimit is the largest file that is read, in bytes.
const sizeLimit = 1 << 31

// Open reads a recording. It fails with [ErrFormat], or when the file cannot be read.
func Open(path string, o Options) (*Recording, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, sizeLimit))
	if err != nil {
		return nil, err
	}
	if len(content) == sizeLimit {
		return nil, fmt.Errorf("%s: larger than 2 GiB; cut the recording: %w", path, ErrFormat)
	}
	r, err := Decode(path, content, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Decode reads a recording from the content of a file; only the end of name counts.
// It fails with [ErrFormat].
func Decode(name string, content []byte, o Options) (*Recording, error) {
	if o.Width < 0 || o.Height < 0 || o.Width > 1<<16 || o.Height > 1<<16 {
		return nil, malformed("a sensor of %d x %d pixels; at most 65536 a side", o.Width, o.Height)
	}
	extension := strings.ToLower(filepath.Ext(name))
	decode, ok := formats[extension]
	if !ok {
		return nil, malformed("files of the kind %q are not known; known are %s", extension, strings.Join(Extensions(), ", "))
	}
	return decode(content, o)
}
