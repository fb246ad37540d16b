package data

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spikedhs/spikedhs/data/events"
)

// eventSource is what the package knows about a data set of event recordings. Width and
// Height are those of the sensor; 0: stated by the user or the files.
type eventSource struct {
	Source
	transpose bool   // the camera lay on its side
	address   string // where a person finds the files
}

func init() {
	// Orchard et al., "Converting static image datasets to spiking neuromorphic
	// datasets using saccades" (2015): 60,000 and 10,000 recordings.
	Register(Recordings("n-mnist", 34, 34, digitClasses, "https://www.garrickorchard.com/datasets/n-mnist"))
	// Li et al., "CIFAR10-DVS: an event-stream dataset for object classification"
	// (2017): 10,000 recordings, no published split.
	dvs := Recordings("cifar10-dvs", 128, 128, cifar10Classes, "https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671")
	dvs.recordings.transpose = true
	Register(dvs)
	Register(Recordings("event-folder", 0, 0, nil, ""))
}

// Recordings is a set of recordings of an event camera of width x height pixels (0: its
// files or the user say it), in a folder of one of the layouts that [OpenEvents] reads.
// classes may be nil, then the names of folders serve. address is where a person finds
// the files.
func Recordings(name string, width, height int, classes []string, address string) Source {
	s := Source{Name: name, Width: width, Height: height, Classes: classes, Events: true}
	r := &eventSource{Source: s, address: address}
	r.recordings = r
	r.Open = func(ctx context.Context, path string, split Split, o OpenOptions) (Dataset, error) {
		set, err := r.open(ctx, path, split, o.Events)
		if err != nil {
			return nil, err
		}
		return set, nil
	}
	r.Locate = func(path string, split Split) (string, error) {
		where := r.place(path)
		if _, _, err := r.listEventFiles(where, split); err != nil {
			return "", r.explain(err)
		}
		return where, nil
	}
	return r.Source
}

// EventReading says how recordings of a data set are read: its sensor and how it lay.
// Of another name it is the zero value: their files say it.
func EventReading(name string) events.Options {
	s, err := lookupEvents(name)
	if err != nil {
		return events.Options{}
	}
	return events.Options{Width: s.Width, Height: s.Height, Transpose: s.transpose}
}

// place is the folder of the recordings.
func (s *eventSource) place(path string) string {
	return cmp.Or(path, filepath.Join(DefaultDir(), s.Name))
}

// lookupEvents finds a data set of recordings by name.
func lookupEvents(name string) (*eventSource, error) {
	s, err := Lookup(name)
	if err == nil && s.recordings == nil {
		err = fmt.Errorf("%w of events %q; choose one of %s", ErrUnknown, name, strings.Join(EventNames(), ", "))
	}
	return s.recordings, err
}
