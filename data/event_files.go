package data

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/data/events"
)

// eventFile is a recording of a set and its class.
type eventFile struct {
	path  string
	label int
}

// ClassesFile may stand in the folder of a set of recordings: the names of its
// classes, one a line, in the order of the class folders.
const ClassesFile = "classes.txt"

// testShare: where a set has no published split, the last of so many parts of
// every class, in the order of the files' names, is the test split.
const testShare = 10

// listEventFiles finds the recordings of a split below a folder. Three layouts are
// known, tried in this order:
//
//   - train and test folders (or Train and Test) with a folder for each class;
//   - lists train*.txt and test*.txt of lines "sample class", the samples beside them;
//   - a folder for each class: no split, see testShare.
func (s *eventSource) listEventFiles(folder string, split Split) ([]eventFile, []string, error) {
	entries, found, err := listing(folder)
	if err != nil {
		return nil, nil, err
	} else if !found {
		return nil, nil, fmt.Errorf("%s is not there: %w", folder, ErrNotFound)
	}
	var parts, lists [2]string
	for _, e := range entries {
		lower := strings.ToLower(e.Name())
		for _, part := range []Split{Train, Test} {
			switch {
			case e.IsDir() && lower == part.String():
				parts[part] = filepath.Join(folder, e.Name())
			case !e.IsDir() && strings.HasPrefix(lower, part.String()) && strings.HasSuffix(lower, ".txt"):
				lists[part] = filepath.Join(folder, e.Name())
			}
		}
	}
	var files []eventFile
	var classes []string
	switch {
	case parts[Train] != "" && parts[Test] != "":
		if classes, err = classFolders(parts[Train]); err != nil {
			return nil, nil, err
		}
		files, err = filesOfClasses(parts[split], classes)
	case lists[Train] != "" && lists[Test] != "":
		classes = s.Classes
		files, err = filesOfList(folder, lists[split], len(classes))
	default:
		if classes, err = classFolders(folder); err != nil {
			return nil, nil, err
		}
		files, err = filesOfClasses(folder, classes)
		files = partOf(files, split)
	}
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("no recordings of the %s split in %s; want folders train and test, or a folder for each class, of files %s: %w",
			split, folder, strings.Join(events.Extensions(), ", "), ErrNotFound)
	}
	return s.named(folder, files, classes)
}

// named gives the classes their names: those of a list beside them, else the
// published ones. Class folders that are the published names in another order get
// the published labels.
func (s *eventSource) named(folder string, files []eventFile, classes []string) ([]eventFile, []string, error) {
	list := filepath.Join(folder, ClassesFile)
	var names []string
	found, err := readLines(list, func(_ int, line string) error {
		names = append(names, line)
		return nil
	})
	switch {
	case found && err != nil:
		return nil, nil, err
	case found && len(names) != len(classes):
		return nil, nil, malformed("%s: %d names for %d classes", list, len(names), len(classes))
	case found:
		return files, names, nil
	case s.Classes == nil:
		return files, classes, nil
	}
	for _, name := range classes {
		if !slices.Contains(s.Classes, name) {
			return nil, nil, malformed("%s has a class folder %q, which %s has not; open it as event-folder", folder, name, s.Name)
		}
	}
	for i := range files {
		files[i].label = slices.Index(s.Classes, classes[files[i].label])
	}
	return files, s.Classes, nil
}

// classFolders are the names of the sub-folders, in natural order.
func classFolders(folder string) ([]string, error) {
	names, err := subfolders(folder)
	slices.SortFunc(names, natural)
	return names, err
}

// filesOfClasses are the recordings in the class folders, class by class.
func filesOfClasses(folder string, classes []string) ([]eventFile, error) {
	var files []eventFile
	for label, class := range classes {
		dir := filepath.Join(folder, class)
		entries, _, err := listing(dir) // none: a class without test recordings
		if err != nil {
			return nil, err
		}
		var names []string
		for _, e := range entries {
			if !e.IsDir() && events.Known(e.Name()) {
				names = append(names, e.Name())
			}
		}
		slices.SortFunc(names, natural)
		for _, name := range names {
			files = append(files, eventFile{filepath.Join(dir, name), label})
		}
	}
	return files, nil
}

// partOf is a split of files that have none: of each class the last tenth, rounded
// down but at least one file, is the test split.
func partOf(files []eventFile, split Split) []eventFile {
	var part []eventFile
	for len(files) > 0 {
		n := 0
		for n < len(files) && files[n].label == files[0].label {
			n++
		}
		first := n - max(1, n/testShare)
		if split == Train {
			part = append(part, files[:first]...)
		} else {
			part = append(part, files[first:n]...)
		}
		files = files[n:]
	}
	return part
}

// filesOfList reads lines "sample class"; '#' begins a remark. The recording of a
// sample is the file of that name, with any known ending.
func filesOfList(folder, path string, classes int) ([]eventFile, error) {
	var files []eventFile
	_, err := readLines(path, func(_ int, line string) error {
		words := strings.Fields(line)
		if strings.HasPrefix(words[0], "#") {
			return nil
		}
		if len(words) != 2 {
			return malformed("%d words, want: sample class", len(words))
		}
		label, err := strconv.Atoi(words[1])
		if err != nil || label < 0 || label >= classes {
			return malformed("class %.20q of %d classes", words[1], classes)
		}
		if filepath.Base(words[0]) != words[0] {
			return malformed("sample %.40q is no file name", words[0])
		}
		name, ok := recordingNamed(folder, words[0])
		if !ok {
			return fmt.Errorf("no recording of sample %s: %w", words[0], ErrNotFound)
		}
		files = append(files, eventFile{name, label})
		return nil
	})
	return files, err
}

func recordingNamed(folder, sample string) (string, bool) {
	for _, extension := range append([]string{""}, events.Extensions()...) {
		name := filepath.Join(folder, sample+extension)
		if events.Known(name) && isFile(name) {
			return name, true
		}
	}
	return "", false
}

// natural orders names so that numbers in them count: cat_9 before cat_10.
func natural(a, b string) int {
	first, second := a, b
	for a != "" && b != "" {
		x, restA := digits(a)
		y, restB := digits(b)
		switch {
		case x != "" && y != "":
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
				return c
			}
			a, b = restA, restB
		case a[0] != b[0]:
			return cmp.Compare(a[0], b[0])
		default:
			a, b = a[1:], b[1:]
		}
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(first, second))
}

// digits cuts the number off that text begins with.
func digits(text string) (number, rest string) {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return text[:n], text[n:]
}
