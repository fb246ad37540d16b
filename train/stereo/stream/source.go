package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	data "github.com/spikedhs/spikedhs/data/stereo"
)

// Source gives the steps of a stream in the order of time.
type Source interface {
	// Next is the next step and the time that its stacks took to make of events,
	// without reading these; io.EOF behind the last. Step.Reset tells where a
	// sequence begins.
	Next() (step *data.Step, stacking time.Duration, err error)
	// Len is the number of steps, 0 where it is not known.
	Len() int
	// Rig are the cameras; without focal length where they are not known.
	Rig() data.Rig
	// Wrong is how many events were left out: late, outside of the picture, or with
	// another polarity.
	Wrong() int
	Close() error
}

// SourceOptions say how to open a [Source].
type SourceOptions struct {
	// Binning is how events become stacks. Default: 5 bins of 10 ms.
	Binning data.Binning
	// Every is the time from one step to the next in seconds. Default: that of a
	// stack. A folder has frames of its own.
	Every float64
	// Width and Height are the size of the sensors of a recording. Default 128 x 128.
	// A pipe and a folder tell theirs.
	Width, Height int
	// Split chooses frames of a folder: "train", "validation" or "test" of its
	// splits.json, or "1", "2", "3" for the test frames of MVSEC's splits. Default:
	// all frames.
	Split string
	// In is read where the path is "-".
	In io.Reader
	// Log is told what is wrong with the data. Default: none.
	Log *slog.Logger
}

// Open opens a source by its path: the folder of a data set (see package
// data/stereo) or of one sequence, a recording of two cameras (.dat, .npz), a file
// of events in the binary form of docs/stereo.md, or "-" for that form from
// [SourceOptions].In.
func Open(ctx context.Context, path string, o SourceOptions) (Source, error) {
	o.Binning.Bins, o.Binning.Width = cmp.Or(o.Binning.Bins, 5), cmp.Or(o.Binning.Width, 0.01)
	if path == "-" {
		if o.In == nil {
			return nil, errors.New("stream: there is no input to read")
		}
		return openPackets(io.NopCloser(o.In), o)
	}
	found, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if found.IsDir() {
		return openFolder(ctx, path, o)
	}
	if slices.Contains([]string{".dat", ".npz"}, filepath.Ext(path)) {
		r, err := data.ReadRecording(path, data.RecordingOptions{Width: o.Width, Height: o.Height})
		if err != nil {
			return nil, err
		}
		return openRecording(r, o)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := openPackets(f, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return s, nil
}

// flow is a source that cuts events into steps as they come.
type flow struct {
	*data.Slicer
	rig   data.Rig
	bad   func() int
	close func() error
}

func openRecording(r *data.Recording, o SourceOptions) (Source, error) {
	steps, err := r.Steps(o.Binning, o.Every)
	if err != nil {
		return nil, err
	}
	bad := func() int { return r.Counts.OutOfFrame + r.Counts.BadPolarity + r.Counts.BadTime }
	return &flow{steps, data.Rig{Width: r.Width, Height: r.Height}, bad, func() error { return nil }}, nil
}

// openPackets reads a pipe; in is closed with the source where it is a file of its own.
func openPackets(in io.ReadCloser, o SourceOptions) (Source, error) {
	r, err := newPacketReader(in)
	if err != nil {
		return nil, err
	}
	steps, err := data.NewSlicer(r.width, r.height, o.Binning, o.Every, r.next)
	if err != nil {
		return nil, err
	}
	return &flow{steps, data.Rig{Width: r.width, Height: r.height}, func() int { return r.bad }, in.Close}, nil
}

func (f *flow) Len() int { return 0 }

func (f *flow) Rig() data.Rig { return f.rig }

func (f *flow) Wrong() int { return f.bad() + f.Late() }

func (f *flow) Close() error { return f.close() }

// folder is a data set, frame by frame. It stacks the events itself, so that the
// time of that is known, and keeps nothing.
type folder struct {
	ctx    context.Context
	set    *data.Set
	frames []data.Frame
	scored map[data.Frame]bool
	stack  []int8
	o      SourceOptions
	at     int
	wrong  int
}

func openFolder(ctx context.Context, path string, o SourceOptions) (Source, error) {
	if o.Every != 0 {
		return nil, errors.New("stream: the frames of a data set say when its steps are; leave --every away")
	}
	set, err := data.Open(path, data.Options{Binning: o.Binning, Cache: "none", Memory: -1, Log: o.Log})
	if err != nil {
		return nil, err
	}
	wanted, err := splitOf(set, o.Split)
	if err != nil {
		return nil, err
	}
	f := &folder{ctx: ctx, set: set, o: o, scored: map[data.Frame]bool{}}
	f.frames = data.Between(wanted, 0)
	for _, frame := range wanted {
		f.scored[frame] = true
	}
	f.stack = make([]int8, set.Channels()*set.Rig().Width*set.Rig().Height)
	return f, nil
}

func splitOf(set *data.Set, name string) ([]data.Frame, error) {
	switch name {
	case "":
		return set.Frames()
	case "1", "2", "3":
		parts, err := set.MVSEC(int(name[0] - '0'))
		return parts.Test, err
	}
	parts, err := set.Split()
	if err != nil {
		return nil, err
	}
	switch name {
	case "train":
		return parts.Train, nil
	case "validation":
		return parts.Validation, nil
	case "test":
		return parts.Test, nil
	}
	return nil, fmt.Errorf("stream: split %q: choose one of train, validation, test, 1, 2, 3", name)
}

func (f *folder) Next() (*data.Step, time.Duration, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, 0, err
	}
	if f.at == len(f.frames) {
		return nil, 0, io.EOF
	}
	frame, rig := f.frames[f.at], f.set.Rig()
	step := &data.Step{
		Frame: frame, Time: f.set.Times(frame.Sequence)[frame.Index], C: f.set.Channels(), H: rig.Height, W: rig.Width,
		Reset: f.at == 0 || f.frames[f.at-1].Sequence != frame.Sequence, Scored: f.scored[frame],
	}
	var stacking time.Duration
	for v, to := range []*[]float32{&step.Left, &step.Right} {
		events, counts, err := f.set.Events(data.View(v), frame)
		if err != nil {
			return nil, 0, err
		}
		began := time.Now()
		outside := f.o.Binning.Stack(f.stack, events, step.Time, rig.Width, rig.Height)
		*to = data.Floats(f.stack)
		stacking += time.Since(began)
		f.wrong += outside + counts.OutOfFrame + counts.BadPolarity + counts.BadTime
	}
	if _, err := os.Stat(data.DisparityFile(f.set.Dir(frame.Sequence), frame.Index)); err == nil {
		if step.Label, err = f.set.Label(frame); err != nil {
			return nil, 0, err
		}
	}
	f.at++
	return step, stacking, nil
}

func (f *folder) Len() int { return len(f.frames) }

func (f *folder) Rig() data.Rig { return f.set.Rig() }

func (f *folder) Wrong() int { return f.wrong }

func (f *folder) Close() error { return nil }
