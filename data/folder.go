package data

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spikedhs/spikedhs/data/internal/ordered"
)

// DefaultSize is the side of the crops of an image folder in pixels, the usual one
// for ImageNet.
const DefaultSize = 224

// DefaultMaxCorrupt is the share of the image files that may be unreadable.
const DefaultMaxCorrupt = 0.01

// ImageFolder is a [Cropper] of JPEG and PNG files, a folder for each class. [Open]
// makes one of the sets "imagenet" and "image-folder".
//
// A picture of any size and kind becomes three channels of size by size pixels: grey
// ones have three equal channels, CMYK is converted, of 16-bit samples the upper 8
// bits count, transparency is left aside, and a JPEG's EXIF orientation is applied.
//
// A file that cannot be read is left out: in its place comes the next image of the
// index that can, with that one's label. It is said once in the log. Where more than
// a share of all files are bad, Image and Crop fail with [ErrFormat].
type ImageFolder struct {
	name     string
	size     int
	index    *folderIndex
	bad      *badFiles
	decoders sync.Pool // of *decoder
}

// newImageFolder serves the images of an index in crops of the given options, which
// have their defaults.
func newImageFolder(name string, index *folderIndex, o OpenOptions) *ImageFolder {
	f := &ImageFolder{name: name, size: o.Size, index: index}
	f.bad = &badFiles{found: map[int]bool{}, share: o.MaxCorrupt, index: index, log: o.Log}
	f.decoders.New = func() any { return newDecoder() }
	return f
}

// Name, Len, Classes and Shape implement [Dataset]. Len counts files that turn out to be
// bad too.
func (f *ImageFolder) Name() string         { return f.name }
func (f *ImageFolder) Len() int             { return len(f.index.files) }
func (f *ImageFolder) Classes() []string    { return f.index.classes }
func (f *ImageFolder) Shape() (c, h, w int) { return 3, f.size, f.size }

// Path is the file of image i.
func (f *ImageFolder) Path(i int) string { return f.index.path(i) }

// Corrupt tells of the files that could not be read so far.
func (f *ImageFolder) Corrupt() Corrupt { return f.bad.report() }

// Image implements [Dataset]: the centre of image i after its short side has been
// resized to 256/224 of the crop's.
func (f *ImageFolder) Image(i int, dst []byte) (label int, err error) {
	return f.item(i, dst, func(w, h int) window { return centre(w, h, f.size) })
}

// Crop implements [Cropper].
func (f *ImageFolder) Crop(i int, crop ResizedCrop, rng rand.Source, dst []byte) (label int, err error) {
	return f.item(i, dst, func(w, h int) window { return crop.draw(w, h, rng) })
}

// item renders image i, or the next one that can be read.
func (f *ImageFolder) item(i int, dst []byte, choose func(w, h int) window) (label int, err error) {
	if err := checkImage(f, i, dst); err != nil {
		return 0, err
	}
	n := len(f.index.files)
	d := f.decoders.Get().(*decoder)
	defer f.decoders.Put(d)
	for k := range n {
		at := (i + k) % n
		if f.bad.known(at) {
			continue
		}
		if err := d.open(f.index.path(at)); err != nil {
			if err := f.bad.note(at, err); err != nil {
				return 0, fmt.Errorf("%s: %w", f.name, err)
			}
			continue
		}
		w, h := d.size()
		d.render(choose(w, h), f.size, dst)
		d.decoded = nil
		return f.index.files[at].label, nil
	}
	return 0, fmt.Errorf("%s: %w", f.name, malformed("none of %d image files can be read", n))
}

// open reads and decodes a file.
func (s *decoder) open(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return malformed("not a regular file")
	}
	const limit = 1 << 30
	if info.Size() > limit {
		return malformed("a file of %d bytes, more than %d", info.Size(), limit)
	}
	s.file = resized(s.file, int(info.Size()))
	if _, err := io.ReadFull(file, s.file); err != nil {
		return contentError(err)
	}
	return s.decode(s.file)
}

// Verify decodes every file, on all cores, and returns those that cannot be read. tick,
// when given, is told each file. It fails only when ctx ends.
func (f *ImageFolder) Verify(ctx context.Context, tick func()) (bad []BadFile, err error) {
	causes := make([]error, f.Len())
	if err := ordered.Each(ctx, len(causes), 0, func(context.Context) func(int) error {
		d := newDecoder()
		return func(i int) error {
			causes[i] = d.open(f.index.path(i))
			return nil
		}
	}, tick); err != nil {
		return nil, err
	}
	for i, cause := range causes {
		if cause != nil {
			bad = append(bad, BadFile{f.index.path(i), cause})
		}
	}
	return bad, nil
}

// BadFile is an image file that cannot be read, and why.
type BadFile struct {
	Path string
	Err  error
}

// imageNetMean and imageNetStd are the usual statistics of ImageNet.
var (
	imageNetMean = []float32{0.485, 0.456, 0.406}
	imageNetStd  = []float32{0.229, 0.224, 0.225}
)

func init() {
	Register(ImageFolders("imagenet", 1000, "download ILSVRC 2012 from image-net.org, which wants an account, or from kaggle.com, "+
		"and name the folder that holds train and val with data.path"))
	Register(ImageFolders("image-folder", 0, "name with data.path a folder that holds train and val (or test), in each a folder of images a class"))
}

// ImageFolders is a set of image files in a folder for each class, normalised as
// ImageNet is. labels is the number of its classes, 0 if its files say it; advice tells
// in words where it can be had.
func ImageFolders(name string, labels int, advice string) Source {
	return (&source{
		Source: Source{Name: name, Channels: 3, Labels: labels, Mean: imageNetMean, Std: imageNetStd, Cropped: true},
		folder: name, ambiguous: true, manual: advice, format: folderFormat{},
	}).published()
}

// folderFormat is a layout of image files in class folders.
type folderFormat struct{}

func (folderFormat) find(place string, split Split) (string, bool) {
	_, ok := splitFolder(place, split)
	return place, ok
}

func (folderFormat) load(ctx context.Context, src *source, where string, split Split, o OpenOptions) (Dataset, error) {
	index, err := indexFolder(ctx, where, split)
	if err != nil {
		return nil, err
	}
	return newImageFolder(src.Name, index, o), nil
}

// OpenOptions are what [OpenWith] needs to know of sets of image files and of
// recordings; other sets need none. The zero value is ready for use.
type OpenOptions struct {
	// Size is the side of the crops in pixels. Default: [DefaultSize].
	Size int
	// MaxCorrupt is the share of the files that may be unreadable, 0..1. Default:
	// [DefaultMaxCorrupt]; below 0 none may.
	MaxCorrupt float64
	// Log is told of unreadable files. Default: slog.Default().
	Log *slog.Logger
	// Events is for sets of recordings alone.
	Events EventOptions
}

func (o OpenOptions) withDefaults() (OpenOptions, error) {
	o.Size, o.MaxCorrupt = cmp.Or(o.Size, DefaultSize), max(0, cmp.Or(o.MaxCorrupt, DefaultMaxCorrupt))
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.Size < 1 || o.Size > math.MaxInt16 {
		return o, fmt.Errorf("size of %d pixels; choose 1..%d", o.Size, math.MaxInt16)
	}
	return o, nil
}

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
	if s, ok := underlying(ds); ok {
		ds = s.Dataset
	}
	if f, ok := ds.(*ImageFolder); ok {
		return f.Corrupt()
	}
	return Corrupt{}
}

// maxExamples is how many files an error and [Corrupt] name.
const maxExamples = 3

// badFiles remembers the images that could not be read. It is safe for concurrent use.
type badFiles struct {
	mu      sync.Mutex
	found   map[int]bool
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
	if total := len(b.index.files); float64(len(b.found)) > b.share*float64(total) {
		b.tooMany = malformed("%d of %d image files cannot be read, more than data.max_corrupt = %g allows, such as %s (%v); repair or remove them",
			len(b.found), total, b.share, strings.Join(b.examples(), ", "), cause)
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
	return Corrupt{Files: len(b.found), Total: len(b.index.files), Examples: b.examples()}
}

// String is "3 of 1000 image files could not be read, such as a.jpg".
func (c Corrupt) String() string {
	if c.Files == 0 {
		return fmt.Sprintf("all of %d image files that were asked for could be read", c.Total)
	}
	return fmt.Sprintf("%d of %d image files could not be read, such as %s", c.Files, c.Total, strings.Join(c.Examples, ", "))
}
