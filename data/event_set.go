package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/data/internal/cache"
)

// EventOptions say how recordings are read and made into stacks.
type EventOptions struct {
	// Stacks are the time steps that an image of the set has. Default: 6 steps.
	events.Stacks
	// Width and Height are the sensor's in pixels. Default 0: those of the data set,
	// else those that the files declare.
	Width, Height int
	// Columns is the order of the columns of .npy and .txt files, see [events.Options].
	Columns string
	// Memory is how many bytes of stacks are kept, so that later epochs need not read
	// the files. Default 0: 1 GiB. Below 0: none.
	Memory int64
	// Log is told once of each kind of problem that recordings have. Default: nobody.
	Log *slog.Logger
}

const (
	defaultEventSteps  = 6
	defaultEventMemory = 1 << 30
)

// EventSet is a [Timed] of recordings on disk. Stacks are made when they are asked
// for, and kept in memory, packed, while there is memory.
type EventSet struct {
	source     *eventSource
	options    EventOptions
	where      string
	files      []eventFile
	classes    []string
	step       [3]int             // channels, rows and columns of a time step
	kept       *cache.Memory[int] // stacks by file
	mutex      sync.Mutex
	seen       []bool // files whose problems are counted
	problems   events.Problems
	troubled   int // files with problems
	advertised bool
}

// OpenEvents finds one split of a set of recordings: one of [EventNames]. path is
// its folder; empty means the set's folder under [DefaultDir]. The files are read
// when their images are asked for, but for the first. A set without a published
// split (CIFAR10-DVS, folders without train and test) is split by a fixed rule: the
// last tenth of every class, in the order of the names with numbers counting, is
// the test split.
//
// It fails with [ErrUnknown], [ErrNotFound], [ErrFormat] or the error of ctx.
func OpenEvents(ctx context.Context, name, path string, split Split, o EventOptions) (*EventSet, error) {
	src, err := lookupEvents(name)
	if err != nil {
		return nil, err
	}
	return src.open(ctx, path, split, o)
}

func (src *eventSource) open(ctx context.Context, path string, split Split, o EventOptions) (*EventSet, error) {
	name := src.Name
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if split != Train && split != Test {
		return nil, fmt.Errorf("%s: no split %v; choose train or test", name, split)
	}
	o.Steps = cmp.Or(o.Steps, defaultEventSteps)
	o.Stacks = o.Filled()
	if err := o.Stacks.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &EventSet{source: src, options: o, where: src.place(path)}
	var err error
	if s.files, s.classes, err = src.listEventFiles(s.where, split); err != nil {
		return nil, src.explain(err)
	}
	if err := s.settle(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.kept, s.seen = cache.New[int](cmp.Or(o.Memory, defaultEventMemory)), make([]bool, len(s.files))
	return s, nil
}

// explain says where the files can be had.
func (s *eventSource) explain(err error) error {
	if s.address == "" || !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return fmt.Errorf("%s: %w; download it by hand from %s, unpack it and name its folder", s.Name, err, s.address)
}

// settle finds the size of the sensor, and reads the first recording with it.
func (s *EventSet) settle() error {
	if s.options.Width == 0 || s.options.Height == 0 {
		s.options.Width, s.options.Height = s.source.Width, s.source.Height
	}
	r, err := events.Open(s.files[0].path, s.source.reading(s.options))
	if err != nil {
		return contentOf(err)
	}
	if !r.Declared {
		return malformed("%s does not say how large its sensor is (its events need %d x %d pixels); set data.sensor = [width, height]",
			s.files[0].path, r.Width, r.Height)
	}
	s.options.Width, s.options.Height = r.Width, r.Height
	s.step[0], s.step[1], s.step[2] = s.options.Stacks.Shape(r.Width, r.Height)
	return nil
}

// contentOf marks errors about the content of recordings as ErrFormat.
func contentOf(err error) error { return fmt.Errorf("%w: %w", ErrFormat, err) }

func (s *eventSource) reading(o EventOptions) events.Options {
	return events.Options{Width: o.Width, Height: o.Height, Columns: o.Columns, Transpose: s.transpose}
}

// Options are the options that s was opened with, the defaults filled in.
func (s *EventSet) Options() EventOptions { return s.options }

// Folder is where the recordings are.
func (s *EventSet) Folder() string { return s.where }

// File is the path of recording i.
func (s *EventSet) File(i int) string { return s.files[i].path }

// Name, Len, Classes, Steps, Levels and Shape implement [Timed]. Shape has the channels
// of all time steps.
func (s *EventSet) Name() string          { return s.source.Name }
func (s *EventSet) Len() int              { return len(s.files) }
func (s *EventSet) Classes() []string     { return s.classes }
func (s *EventSet) Steps() int            { return s.options.Steps }
func (s *EventSet) Levels() *[256]float32 { return s.options.Kind.Levels() }
func (s *EventSet) Shape() (c, h, w int)  { return s.options.Steps * s.step[0], s.step[1], s.step[2] }

// Image implements [Dataset]: the stack of recording i as planes T,C,H,W.
func (s *EventSet) Image(i int, dst []byte) (int, error) {
	if err := checkImage(s, i, dst); err != nil {
		return 0, err
	}
	c, h, w := s.Shape()
	dst = dst[:c*h*w]
	file := s.files[i]
	if packed := s.kept.Get(i); packed != nil {
		s.unpack(dst, packed)
		return file.label, nil
	}
	r, err := events.Open(file.path, s.source.reading(s.options))
	if err != nil {
		return 0, fmt.Errorf("%s: %w; remove the file or fetch it again", s.Name(), contentOf(err))
	}
	if err := s.options.Stacks.Make(dst, r); err != nil {
		return 0, fmt.Errorf("%s: %w", s.Name(), err)
	}
	s.note(i, r.Problems)
	s.kept.Put(i, s.pack(dst))
	return file.label, nil
}

// note counts the problems of a recording that is read for the first time.
func (s *EventSet) note(i int, p events.Problems) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.seen[i] {
		return
	}
	s.seen[i] = true
	s.problems = s.problems.Add(p)
	if !p.Any() {
		return
	}
	s.troubled++
	if s.options.Log != nil && !s.advertised {
		s.advertised = true
		s.options.Log.Warn("a recording was put right; more like it are counted only", "file", s.files[i].path, "what", p.String())
	}
}

// Problems sums what was put right in the recordings read so far, and says how
// many of them had such problems.
func (s *EventSet) Problems() (events.Problems, int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.problems, s.troubled
}

// pack copies a stack for memory: a bit a pixel where it is binary.
func (s *EventSet) pack(stack []byte) []byte {
	if s.options.Kind != events.Binary {
		return slices.Clone(stack)
	}
	packed := make([]byte, (len(stack)+7)/8)
	for k, v := range stack {
		packed[k/8] |= v << (k % 8)
	}
	return packed
}

func (s *EventSet) unpack(dst, packed []byte) {
	if s.options.Kind != events.Binary {
		copy(dst, packed)
		return
	}
	for k := range dst {
		dst[k] = packed[k/8] >> (k % 8) & 1
	}
}

// StackFile makes the stack of one recording, planes T,C,H,W of bytes, as a set of
// that name and with these options has it. It fails with [ErrFormat], or when the
// file cannot be read.
func StackFile(path, name string, o EventOptions) ([]byte, error) {
	src, err := lookupEvents(name)
	if err != nil {
		return nil, err
	}
	r, err := events.Open(path, src.reading(o))
	if err != nil {
		return nil, contentOf(err)
	}
	c, h, w := o.Stacks.Shape(r.Width, r.Height)
	stack := make([]byte, o.Steps*c*h*w)
	if err := o.Stacks.Make(stack, r); err != nil {
		return nil, fmt.Errorf("%s: %w", strings.TrimSpace(path), err)
	}
	return stack, nil
}
