package stereo

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spikedhs/spikedhs/data/internal/cache"
)

// Options configure a [Set]; the zero value has the defaults.
type Options struct {
	// Binning says how events become stacks. Default: 5 bins of 10 ms.
	Binning Binning
	// Cache is the folder for computed stacks. Default: [CacheFolder] in the folder of
	// the data set; "none" keeps none on disk.
	Cache string
	// Memory is how many bytes of stacks and labels to keep in memory; a stack of
	// 346 x 260 pixels takes 90 kB. Default: 1 GiB; below 0 none.
	Memory int64
	// Log is told what is wrong with the data, once for each sequence. Default: none.
	Log *slog.Logger
}

// Set is a stereo data set on disk: a folder with one sub-folder for each sequence.
// It may be used from several goroutines.
type Set struct {
	root    string
	rig     Rig
	binning Binning
	cache   string // "none": no disk cache
	log     *slog.Logger
	names   []string
	times   map[string][]float64 // by the sequence's name
	memory  *cache.Memory[memoryKey]

	mu      sync.Mutex
	counted map[memoryKey]bool
	counts  map[string]Counts
	noCache sync.Once
}

// Open opens the data set in folder root, or root itself as a set of one sequence if
// it has a timestamps.txt. It reads the times of all sequences, and no events yet. It
// fails with data.ErrNotFound where there is no sequence and with data.ErrFormat on a
// bad rig.json or timestamps.txt.
func Open(root string, o Options) (*Set, error) {
	b, err := o.Binning.withDefaults()
	if err != nil {
		return nil, err
	}
	base, folders, err := locate(root)
	if err != nil {
		return nil, err
	}
	s := &Set{
		root: base, binning: b, log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), names: folders,
		times: map[string][]float64{}, counted: map[memoryKey]bool{}, counts: map[string]Counts{},
		memory: cache.New[memoryKey](cmp.Or(o.Memory, 1<<30)),
		cache:  cmp.Or(o.Cache, filepath.Join(base, CacheFolder)),
	}
	if s.rig, err = readRig(base); err != nil {
		return nil, err
	}
	for _, name := range folders {
		if s.times[name], err = ReadTimestamps(filepath.Join(base, name, TimestampsFile)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// locate gives the folder of a data set and the names of its sequences.
func locate(root string) (base string, names []string, err error) {
	if _, err := os.Stat(filepath.Join(root, TimestampsFile)); err == nil { // itself a sequence
		clean := filepath.Clean(root)
		return filepath.Dir(clean), []string{filepath.Base(clean)}, nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return "", nil, classify(err)
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(root, e.Name(), TimestampsFile)); err == nil {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return "", nil, missing("%s: no sequence, a folder with a %s, in it; make some with `spikedhs data synth` or `spikedhs data convert-mvsec`",
			root, TimestampsFile)
	}
	return root, names, nil
}

// Rig are the cameras.
func (s *Set) Rig() Rig { return s.rig }

// Channels is the number of bins of a stack.
func (s *Set) Channels() int { return s.binning.Bins }

// Sequences are the names of the sequences in alphabetical order.
func (s *Set) Sequences() []string { return slices.Clone(s.names) }

// Times are the timestamps in seconds of a sequence's frames; nil if it is unknown.
func (s *Set) Times(name string) []float64 { return s.times[name] }

// Dir is the folder of a sequence.
func (s *Set) Dir(name string) string { return filepath.Join(s.root, name) }

// Frames are all frames of the named sequences, in the order of time; without names,
// of all sequences.
func (s *Set) Frames(names ...string) ([]Frame, error) {
	if len(names) == 0 {
		names = s.names
	}
	var frames []Frame
	for _, name := range names {
		times, ok := s.times[name]
		if !ok {
			return nil, missing("%s: no sequence %q", s.root, name)
		}
		for i := range times {
			frames = append(frames, Frame{name, i})
		}
	}
	return frames, nil
}

// Split are the parts that the set's [SplitsFile] names: whole sequences each.
func (s *Set) Split() (Parts, error) {
	scenes, err := readScenes(s.root)
	if err != nil {
		return Parts{}, err
	}
	var p Parts
	for _, part := range []struct {
		names  []string
		frames *[]Frame
	}{{scenes.Train, &p.Train}, {scenes.Validation, &p.Validation}, {scenes.Test, &p.Test}} {
		if len(part.names) == 0 {
			continue
		}
		if *part.frames, err = s.Frames(part.names...); err != nil {
			return Parts{}, err
		}
	}
	return p, nil
}

// MVSEC are the frames of split 1, 2 or 3 of MVSEC, see [MVSECParts]. It fails with
// data.ErrNotFound where a sequence is not there or too short.
func (s *Set) MVSEC(split int) (Parts, error) {
	p, err := MVSECParts(split)
	if err != nil {
		return Parts{}, err
	}
	return p, s.check(slices.Concat(p.Train, p.Validation, p.Test))
}

// check fails unless all frames are in the set.
func (s *Set) check(frames []Frame) error {
	for _, f := range frames {
		times, ok := s.times[f.Sequence]
		if !ok {
			return missing("%s: no sequence %q", s.root, f.Sequence)
		}
		if f.Index < 0 || f.Index >= len(times) {
			return missing("%s: no frame %d, the sequence has %d", s.Dir(f.Sequence), f.Index, len(times))
		}
	}
	return nil
}

// Windows are those of frames that have steps-1 frames before them in their sequence,
// in the same order.
func Windows(frames []Frame, steps int) []Frame {
	var windows []Frame
	for _, f := range frames {
		if f.Index >= steps-1 {
			windows = append(windows, f)
		}
	}
	return windows
}

// Events reads the events of a frame. See [ReadEvents] for what is left out.
func (s *Set) Events(v View, f Frame) ([]Event, Counts, error) {
	if err := s.check([]Frame{f}); err != nil {
		return nil, Counts{}, err
	}
	events, counts, err := ReadEvents(EventFile(s.Dir(f.Sequence), v, f.Index), s.rig.Width, s.rig.Height)
	if err != nil {
		err = fmt.Errorf("frame %d: %w; make the sequence again", f.Index, err)
	}
	return events, counts, err
}

func (s *Set) whole() crop { return crop{width: s.rig.Width, height: s.rig.Height} }

// packed is a packed stack from memory, from disk or from its events.
func (s *Set) packed(v View, f Frame) ([]byte, error) {
	key := memoryKey{f, v}
	if p := s.memory.Get(key); p != nil {
		return p, nil
	}
	if err := s.check([]Frame{f}); err != nil {
		return nil, err
	}
	end := s.times[f.Sequence][f.Index]
	width, height := s.rig.Width, s.rig.Height
	path, cached := s.cacheFile(v, f, end)
	k, ok := readKept(path, cached, planes(s.binning.Bins)*width*height)
	if !ok {
		events, counts, err := s.Events(v, f)
		if err != nil {
			return nil, err
		}
		stack := make([]int8, s.binning.Bins*width*height)
		counts.BadTime += s.binning.Stack(stack, events, end, width, height)
		k = kept{packed: pack(stack, s.binning.Bins, width*height), counts: counts}
		if path != "" {
			if err := writeKept(path, cached, k); err != nil {
				s.noCache.Do(func() {
					s.log.Warn("stacks cannot be kept on disk and are computed again each time; "+
						"choose another cache folder", "err", err)
				})
			}
		}
	}
	s.count(key, k.counts)
	s.memory.Put(key, k.packed)
	return k.packed, nil
}

// cacheFile is the file of the cache for a stack, and what it has to begin with; "" where
// nothing is kept on disk, or there are no events, as reading them will tell.
func (s *Set) cacheFile(v View, f Frame, end float64) (path string, key [sha256.Size]byte) {
	info, err := os.Stat(EventFile(s.Dir(f.Sequence), v, f.Index))
	if err != nil || s.cache == "none" {
		return "", key
	}
	name := fmt.Sprintf("%s-%d/%06d.sbt", v, s.binning.Bins, f.Index)
	return filepath.Join(s.cache, f.Sequence, name), cacheKey(info, s.binning, end, s.rig.Width, s.rig.Height)
}

// label is the label image of a frame.
func (s *Set) label(f Frame) ([]byte, error) {
	key := memoryKey{f, labelView}
	if l := s.memory.Get(key); l != nil {
		return l, nil
	}
	if err := s.check([]Frame{f}); err != nil {
		return nil, err
	}
	l, err := ReadLabel(DisparityFile(s.Dir(f.Sequence), f.Index), s.rig.Width, s.rig.Height)
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", f.Index, err)
	}
	var counts Counts
	if !slices.ContainsFunc(l, func(v uint8) bool { return v != Invalid }) {
		counts.Unlabelled = 1
	}
	s.count(key, counts)
	s.memory.Put(key, l)
	return l, nil
}

// Label are the disparities in pixels of a frame, [Height, Width]; +Inf is no label.
func (s *Set) Label(f Frame) ([]float32, error) {
	l, err := s.label(f)
	if err != nil {
		return nil, err
	}
	return Disparities(l), nil
}

// count adds up what was found in one file, once, and warns once for each sequence.
func (s *Set) count(key memoryKey, c Counts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counted[key] {
		return
	}
	s.counted[key] = true
	total := s.counts[key.frame.Sequence]
	if !c.Clean() && total.Clean() {
		s.log.Warn("bad data in the sequence; wrong events are left out",
			append([]any{"sequence", key.frame.Sequence, "first_in_frame", key.frame.Index}, c.LogArgs()...)...)
	}
	total.Add(c)
	s.counts[key.frame.Sequence] = total
}

// Counts are what was found so far in the files of each sequence that were read.
func (s *Set) Counts() map[string]Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}
