package data

import (
	"fmt"
	"slices"
	"strings"
)

// eventSource is what the package knows about a data set of event recordings.
type eventSource struct {
	name          string
	folder        string // under DefaultDir
	width, height int    // of the sensor; 0: stated by the user or the files
	transpose     bool   // the camera lay on its side
	classes       []string
	address       string // where a person finds the files
}

var eventCatalog = []*eventSource{
	{
		// Orchard et al., "Converting static image datasets to spiking neuromorphic
		// datasets using saccades" (2015): 60,000 and 10,000 recordings.
		name: "n-mnist", folder: "n-mnist", width: 34, height: 34, classes: digitClasses,
		address: "https://www.garrickorchard.com/datasets/n-mnist",
	},
	{
		// Li et al., "CIFAR10-DVS: an event-stream dataset for object classification"
		// (2017): 10,000 recordings, no published split.
		name: "cifar10-dvs", folder: "cifar10-dvs", width: 128, height: 128, transpose: true, classes: cifar10Classes,
		address: "https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671",
	},
	{name: "event-folder", folder: "event-folder"},
}

// EventNames lists the data sets of event recordings that [OpenEvents] knows.
// "event-folder" is any folder of recordings.
func EventNames() []string {
	var names []string
	for _, s := range eventCatalog {
		names = append(names, s.name)
	}
	return names
}

// IsEvents tells whether a name is one of [EventNames].
func IsEvents(name string) bool { return slices.Contains(EventNames(), name) }

// lookupEvents finds a data set of recordings by name.
func lookupEvents(name string) (*eventSource, error) {
	i := slices.IndexFunc(eventCatalog, func(s *eventSource) bool { return s.name == name })
	if i < 0 {
		return nil, fmt.Errorf("%w of events %q; choose one of %s", ErrUnknown, name, strings.Join(EventNames(), ", "))
	}
	return eventCatalog[i], nil
}

// EventSensor is the sensor's width and height in pixels of one of [EventNames],
// 0 and 0 where the name does not say.
func EventSensor(name string) (width, height int) {
	if s, err := lookupEvents(name); err == nil {
		return s.width, s.height
	}
	return 0, 0
}
