package data

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Files beside the image folders. All may be absent.
const (
	// classOrderFile lists the class folders in the order of their labels, one a line,
	// each maybe followed by a tab or a space and the name to show.
	classOrderFile = "classes.txt"
	// wordsFile of Tiny-ImageNet: "n01443537<TAB>goldfish, Carassius auratus".
	wordsFile = "words.txt"
	// synsetFile of ImageNet: "n01440764 tench, Tinca tinca".
	synsetFile = "LOC_synset_mapping.txt"
	// annotationsFile of Tiny-ImageNet: "val_0.JPEG<TAB>n03444034<TAB>0 32 44 62".
	annotationsFile = "val_annotations.txt"
	// solutionFile of ImageNet: "ILSVRC2012_val_00048981,n03995372 85 1 499 272".
	solutionFile = "LOC_val_solution.csv"
)

const lineLimit = 1 << 20 // bytes of a line

// eachLine calls visit for the lines of r that are not blank, without their spaces at
// both ends. A first line may begin with a byte order mark.
func eachLine(r io.Reader, visit func(number int, line string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<12), lineLimit)
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		if number == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := visit(number, line); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if lines.Err() == bufio.ErrTooLong {
		return malformed("a line of more than %d bytes", lineLimit)
	}
	return contentError(lines.Err())
}

// readLines is eachLine on a file; found is false where there is none.
func readLines(path string, visit func(number int, line string) error) (found bool, err error) {
	file, err := os.Open(path)
	if found, err := exists(err); !found {
		return false, err
	}
	defer file.Close()
	if err := eachLine(file, visit); err != nil {
		return true, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}

// keyAndRest cuts a line at its first tab, or else at its first space.
func keyAndRest(line string) (key, rest string) {
	key, rest, ok := strings.Cut(line, "\t")
	if !ok {
		key, rest, _ = strings.Cut(line, " ")
	}
	return strings.TrimSpace(key), strings.TrimSpace(rest)
}

// readClassOrder reads classes.txt; nil where there is none. Folder names with spaces
// need a tab behind them.
func readClassOrder(path string) ([]string, error) {
	var order []string
	seen := map[string]bool{}
	_, err := readLines(path, func(_ int, line string) error {
		key, _ := keyAndRest(line)
		if seen[key] {
			return malformed("a second class %q", key)
		}
		seen[key] = true
		order = append(order, key)
		return nil
	})
	return order, err
}

// classNames are the names to show for the class folders: those of classes.txt,
// LOC_synset_mapping.txt or words.txt, else the folders' own. Of several synonyms the
// first is taken; where two classes would have one name, both keep their folder's
// name behind it.
func classNames(root string, keys []string) ([]string, error) {
	names, place := make([]string, len(keys)), places(keys)
	for _, file := range []string{classOrderFile, synsetFile, wordsFile} {
		_, err := readLines(filepath.Join(root, file), func(_ int, line string) error {
			key, rest := keyAndRest(line)
			if i, ok := place[key]; ok && names[i] == "" {
				first, _, _ := strings.Cut(rest, ",")
				names[i] = strings.Map(printable, strings.TrimSpace(first))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	uses := map[string]int{}
	for i, key := range keys {
		if names[i] == "" {
			names[i] = key
		}
		uses[names[i]]++
	}
	for i, key := range keys {
		if uses[names[i]] > 1 && names[i] != key {
			names[i] += " (" + key + ")"
		}
	}
	return names, nil
}

// printable leaves out control characters, which would break lines and tables.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

// testLabels reads the list of labels of a test part that is one folder; nil where
// there is none, or where the part has class folders. The keys are those of imageID.
func testLabels(root, dir string) (labels map[string]string, where string, err error) {
	folders, err := subfolders(dir)
	if err != nil {
		return nil, "", err
	}
	if len(folders) > 1 || len(folders) == 1 && folders[0] != "images" {
		return nil, "", nil
	}
	for _, list := range []struct {
		path  string
		parse func(map[string]string, int, string) error
	}{
		{filepath.Join(dir, annotationsFile), parseAnnotation},
		{filepath.Join(root, solutionFile), parseSolution},
	} {
		labels := map[string]string{}
		found, err := readLines(list.path, func(number int, line string) error { return list.parse(labels, number, line) })
		if err != nil {
			return nil, "", err
		}
		if found {
			return labels, list.path, nil
		}
	}
	return nil, "", malformed("%s has no class folders, and neither %s nor %s tells the labels of its images",
		dir, filepath.Join(dir, annotationsFile), filepath.Join(root, solutionFile))
}

// parseAnnotation reads a line of val_annotations.txt.
func parseAnnotation(labels map[string]string, _ int, line string) error {
	name, rest := keyAndRest(line)
	class, _, _ := strings.Cut(rest, "\t")
	class = strings.TrimSpace(class)
	if name == "" || class == "" {
		return malformed("%q is not a file name, a tab and a class", line)
	}
	return addLabel(labels, imageID(name), class)
}

// parseSolution reads a line of LOC_val_solution.csv. An image may have several boxes,
// all of one class.
func parseSolution(labels map[string]string, number int, line string) error {
	id, rest, ok := strings.Cut(line, ",")
	if number == 1 && strings.EqualFold(id, "ImageId") {
		return nil
	}
	fields := strings.Fields(rest)
	if !ok || id == "" || len(fields) == 0 {
		return malformed("%q is not an image, a comma and a class", line)
	}
	return addLabel(labels, imageID(id), fields[0])
}

func addLabel(labels map[string]string, id, class string) error {
	if other, ok := labels[id]; ok && other != class {
		return malformed("%q is of class %q, and above of %q", id, class, other)
	}
	labels[id] = class
	return nil
}

// imageID is the name of an image without its ending.
func imageID(name string) string {
	if isImageName(name) {
		return strings.TrimSuffix(name, filepath.Ext(name))
	}
	return name
}
