package data

import (
	"context"
	"fmt"
	"maps"
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
