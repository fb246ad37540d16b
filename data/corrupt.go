package data

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Corrupt says which files of a data set could not be read so far.
type Corrupt struct {
	// Files is their number, Total that of all files.
	Files, Total int
	// Examples are the first few, in the order of the index.
	Examples []string
}

// CorruptOf counts the unreadable files of a data set, or of the one that a [Subset]
// shows. A set without files of its own has none.
func CorruptOf(ds Dataset) Corrupt {
	if f, ok := folderOf(ds); ok {
		return f.Corrupt()
	}
	return Corrupt{}
}

// folderOf finds the folder of images underneath a set.
func folderOf(ds Dataset) (*ImageFolder, bool) {
	if s, ok := underlying(ds); ok {
		ds = s.Dataset
	}
	f, ok := ds.(*ImageFolder)
	return f, ok
}

// maxExamples is how many files an error and [Corrupt] name.
const maxExamples = 3

// badFiles remembers the images that could not be read. It is safe for concurrent use.
type badFiles struct {
	mu      sync.Mutex
	found   map[int]bool
	total   int
	share   float64 // of the files that may be bad
	index   *folderIndex
	log     *slog.Logger
	tooMany error
}

// known reports whether image i is bad.
func (b *badFiles) known(i int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.found[i]
}

// note warns of an image once. It fails when there are too many.
func (b *badFiles) note(i int, cause error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.found[i] || b.tooMany != nil {
		return b.tooMany
	}
	b.found[i] = true
	b.log.Warn("image left out: it cannot be read", "file", b.index.path(i), "error", cause)
	if float64(len(b.found)) > b.share*float64(b.total) {
		b.tooMany = malformed("%d of %d image files cannot be read, more than data.max_corrupt = %g allows, such as %s (%v); repair or remove them",
			len(b.found), b.total, b.share, strings.Join(b.examples(), ", "), cause)
	}
	return b.tooMany
}

// examples are paths of bad files; the caller holds the lock.
func (b *badFiles) examples() []string {
	numbers := slices.Sorted(maps.Keys(b.found))
	var paths []string
	for _, i := range numbers[:min(maxExamples, len(numbers))] {
		paths = append(paths, b.index.path(i))
	}
	return paths
}

func (b *badFiles) report() Corrupt {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Corrupt{Files: len(b.found), Total: b.total, Examples: b.examples()}
}

// String is "3 of 1000 image files could not be read, such as a.jpg".
func (c Corrupt) String() string {
	if c.Files == 0 {
		return fmt.Sprintf("all of %d image files that were asked for could be read", c.Total)
	}
	return fmt.Sprintf("%d of %d image files could not be read, such as %s", c.Files, c.Total, strings.Join(c.Examples, ", "))
}
