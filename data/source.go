package data

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Source is a data set that runs can name: what is known of it before it is opened,
// and how it is opened. Each set of this package is one, in a file of its own; a
// program adds its own with [Register].
type Source struct {
	// Name is what data.name, [Open] and commands call it.
	Name string
	// Channels, Height and Width are the shape of its images as published; of
	// recordings of events Height and Width are the sensor's. 0: its files say, or
	// [OpenOptions] do.
	Channels, Height, Width int
	// Classes are the names of its classes in the order of the labels, nil where its
	// files have them; then Labels is their number as published, 0 if unknown.
	Classes []string
	Labels  int
	// Mean and Std are the mean and standard deviation of each channel over the training
	// images, on the scale 0..1; nil: the images are not normalised.
	Mean, Std []float32
	// Cropped tells that its pictures have any size and are cut to [OpenOptions].Size.
	Cropped bool
	// Events tells that its images are stacks of recordings of events: Open gives a [Timed].
	Events bool
	// Open reads a split from path; empty means the usual place under [DefaultDir]. Its
	// errors are one line and wrap [ErrNotFound] or [ErrFormat], or are those of ctx.
	Open func(ctx context.Context, path string, split Split, o OpenOptions) (Dataset, error)
	// Locate says where Open would read, and fails with [ErrNotFound]. Default: path,
	// or that the program has it.
	Locate func(path string, split Split) (where string, err error)

	files      *source      // of a set that this package finds and fetches
	recordings *eventSource // of a set of recordings
}

var sources = map[string]*Source{}

// Register adds a data set for all that take one by name; it is for init functions. It
// panics without a name or Open, and where the name is taken.
func Register(s Source) {
	switch {
	case s.Name == "" || s.Open == nil:
		panic("data: a source needs a name and Open")
	case sources[s.Name] != nil:
		panic("data: source " + s.Name + " is registered twice")
	}
	sources[s.Name] = &s
}

// Names lists the data sets that [Open] knows, by the alphabet. "cifar100-coarse" is
// CIFAR-100 with its 20 superclasses as labels, "image-folder" any folder of image
// files, "event-folder" any of recordings. [Fetchable] tells which [Fetch] brings.
func Names() []string { return names(func(*Source) bool { return true }) }

// EventNames are those of [Names] that have recordings of events.
func EventNames() []string { return names(func(s *Source) bool { return s.Events }) }

func names(which func(*Source) bool) []string {
	all := slices.Sorted(maps.Keys(sources))
	return slices.DeleteFunc(all, func(name string) bool { return !which(sources[name]) })
}

// Lookup finds a data set by name. Another name fails with [ErrUnknown].
func Lookup(name string) (Source, error) {
	if s := sources[name]; s != nil {
		return *s, nil
	}
	return Source{}, fmt.Errorf("%w %q; choose one of %s", ErrUnknown, name, strings.Join(Names(), ", "))
}

// IsEvents tells whether a name is one of [EventNames].
func IsEvents(name string) bool { return sources[name] != nil && sources[name].Events }

// Shape is the shape of the images of a data set and the number of its classes, as
// published: nothing is opened. What only files know is 0; pictures that are cut
// have [DefaultSize]. Another name fails with [ErrUnknown].
func Shape(name string) (channels, height, width, classes int, err error) {
	s, err := Lookup(name)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	if s.Cropped {
		s.Height, s.Width = DefaultSize, DefaultSize
	}
	return s.Channels, s.Height, s.Width, max(s.Labels, len(s.Classes)), nil
}

// Side is the shorter side in pixels of the images of a data set that is opened with a
// size (0: none is asked for) and, if it has recordings, a sensor of width and height
// (empty: none is stated); 0 where its files say it, or where there is no such set.
func Side(name string, size int, sensor []int) int {
	s := sources[name]
	switch {
	case s == nil:
		return 0
	case !s.Events && !s.Cropped:
		return min(s.Height, s.Width)
	case size > 0:
		return size
	case s.Cropped:
		return DefaultSize
	case len(sensor) == 2:
		return slices.Min(sensor)
	}
	return min(s.Height, s.Width)
}

// Normalization is the mean and standard deviation of each channel over the
// training images of a data set, on the scale 0..1, to be used as
// [Augment].Mean and Std. It knows [Names]; another name fails with [ErrUnknown].
// "image-folder" has the values of ImageNet. The slices are the caller's own.
func Normalization(name string) (mean, std []float32, err error) {
	s, err := Lookup(name)
	if err != nil {
		return nil, nil, fmt.Errorf("normalization: %w", err)
	}
	return slices.Clone(s.Mean), slices.Clone(s.Std), nil
}

// source is what the package knows about the files of one data set.
type source struct {
	Source
	folder    string // sub-folder that Fetch fills
	ambiguous bool   // another set has the same file names: only folder tells them apart
	system    string // folder of the system's package, if there is one
	pkg       string // name of that package
	format    format
	manual    string // how to get it, of a set that Fetch cannot bring
	address   string // official address that the file names are added to
	remote    []remoteFile
}

// published is the set for [Register].
func (s *source) published() Source {
	s.Open, s.Locate, s.files = s.open, s.locate, s
	return s.Source
}

// remoteFile is a published file, its checksum and its bytes.
type remoteFile struct {
	name, md5 string
	size      int64
}

// format reads one file layout.
type format interface {
	// find looks for a split at place and returns what load has to be given.
	find(place string, split Split) (where string, ok bool)
	// load reads a split that find has found.
	load(ctx context.Context, src *source, where string, split Split, o OpenOptions) (Dataset, error)
}

// Open reads one split of a data set into memory, or, of a set of image files, the
// list of its files.
//
// name is one of [Names]. path is the folder of the files, a folder that has
// them in a sub-folder of that name or, for CIFAR, the published .tar.gz, which
// is read without being unpacked. An empty path means the place that [Fetch]
// fills under [DefaultDir], and then the folder of the system's package
// (/usr/share/datasets/fashion-mnist). The pixels stay 8-bit: CIFAR's training
// split takes 154 MB.
//
// It fails with [ErrUnknown], [ErrNotFound], [ErrFormat] or the error of ctx.
func Open(ctx context.Context, name, path string, split Split) (Dataset, error) {
	return OpenWith(ctx, name, path, split, OpenOptions{})
}

// OpenWith is [Open] with options for sets of image files and of recordings. The images
// of "imagenet" and "image-folder" stay on the disk and are decoded as they are
// asked for, see [ImageFolder]; path is the folder that holds train and val.
func OpenWith(ctx context.Context, name, path string, split Split, o OpenOptions) (Dataset, error) {
	s, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	return s.Open(ctx, path, split, o)
}

// DefaultDir is the folder that data is looked for in and fetched to where none
// is given: $SPIKEDHS_DATA, else the folder spikedhs in the user's cache folder.
func DefaultDir() string {
	if dir := os.Getenv("SPIKEDHS_DATA"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "spikedhs")
}

// Locate says where [Open] would read a split from, a folder or an archive,
// without reading it. It fails with [ErrUnknown] or [ErrNotFound].
func Locate(name, path string, split Split) (where string, err error) {
	s, err := Lookup(name)
	if err != nil {
		return "", err
	}
	switch {
	case s.Locate != nil:
		return s.Locate(path, split)
	case path == "":
		return "registered by the program", nil
	}
	return path, nil
}

func (s *source) open(ctx context.Context, path string, split Split, o OpenOptions) (Dataset, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	where, err := s.locate(path, split)
	if err != nil {
		return nil, err
	}
	set, err := s.format.load(ctx, s, where, split, o)
	if err != nil {
		return nil, s.explain(err, path)
	}
	return set, nil
}

// locate finds the first place that has a split.
func (s *source) locate(path string, split Split) (where string, err error) {
	if split != Train && split != Test {
		return "", fmt.Errorf("%s: no split %v; choose train or test", s.Name, split)
	}
	places := s.places(path)
	for _, place := range places {
		if where, ok := s.format.find(place, split); ok {
			return where, nil
		}
	}
	return "", s.explain(fmt.Errorf("no %s files in %s: %w", split, strings.Join(places, ", "), ErrNotFound), path)
}

// places lists where the files may be, most wanted first.
func (s *source) places(path string) []string {
	if path != "" {
		return []string{path, filepath.Join(path, s.folder)}
	}
	dir := DefaultDir()
	places := []string{filepath.Join(dir, s.folder)}
	if !s.ambiguous {
		places = append(places, dir)
	}
	if s.system != "" {
		places = append(places, s.system)
	}
	return places
}

// explain adds the name of the set and what to do to an error of its files, which were
// looked for at path.
func (s *source) explain(err error, path string) error {
	switch {
	case s.manual != "" && errors.Is(err, ErrNotFound):
		return fmt.Errorf("%s: %w; %s", s.Name, err, s.manual)
	case s.manual != "":
		return fmt.Errorf("%s: %w", s.Name, err)
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%s: %w; get it with %s", s.Name, err, s.remedy(path))
	case errors.Is(err, ErrFormat):
		return fmt.Errorf("%s: %w; remove the file and get it again with %s", s.Name, err, s.remedy(path))
	}
	return fmt.Errorf("%s: %w", s.Name, err)
}

// remedy is the command that brings the data to where it was looked for.
func (s *source) remedy(path string) string {
	fetch := "spikedhs data fetch " + s.Name
	switch {
	case path != "" && !strings.HasSuffix(path, ".gz"): // an archive's name is no folder
		return fmt.Sprintf("`%s --dir %s`", fetch, shellWord(path))
	case path == "" && s.pkg != "":
		return fmt.Sprintf("`%s`, or on Debian `apt install %s`", fetch, s.pkg)
	}
	return "`" + fetch + "`"
}

var plainWord = regexp.MustCompile(`^[\w./~:@%+,=][\w./~:@%+,=-]*$`)

// shellWord is a text as one word of a command line.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
