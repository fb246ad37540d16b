package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Names of the folders of the two parts, most wanted first.
var splitFolders = map[Split][]string{
	Train: {"train"},
	Test:  {"val", "test", "validation"},
}

// imageNetFolder is where the images lie in the archive of ILSVRC.
var imageNetFolder = filepath.Join("ILSVRC", "Data", "CLS-LOC")

// imageFile is an image of an index.
type imageFile struct {
	folder int // in folderIndex.folders
	label  int
	name   string
}

// folderIndex lists the image files of one split.
type folderIndex struct {
	classes []string // names that people read
	folders []string
	files   []imageFile
}

// path is the file of image i.
func (x *folderIndex) path(i int) string {
	f := x.files[i]
	return filepath.Join(x.folders[f.folder], f.name)
}

// splitFolder finds the folder of a split below root.
func splitFolder(root string, split Split) (string, bool) {
	for _, base := range []string{root, filepath.Join(root, imageNetFolder)} {
		for _, name := range splitFolders[split] {
			if dir := filepath.Join(base, name); isFolder(dir) {
				return dir, true
			}
		}
	}
	return "", false
}

// indexFolder lists a split of the images below root. The labels are the places of
// the class folders of the training part in the order of their names, or in that of
// classes.txt. A test part may lack classes, and may be one folder with a list of
// labels, as that of Tiny-ImageNet and ImageNet is.
func indexFolder(ctx context.Context, root string, split Split) (*folderIndex, error) {
	dir, ok := splitFolder(root, split)
	if !ok {
		return nil, fmt.Errorf("%s has no folder %s: %w", root, strings.Join(splitFolders[split], " or "), ErrNotFound)
	}
	training, ok := splitFolder(root, Train)
	if !ok {
		training = dir // an evaluation needs no training images
	}
	keys, err := classKeys(root, training)
	if err != nil {
		return nil, err
	}
	x := &folderIndex{}
	if x.classes, err = classNames(root, keys); err != nil {
		return nil, err
	}
	label := places(keys)
	if split == Test {
		labels, where, err := testLabels(root, dir)
		if err != nil {
			return nil, err
		}
		if labels != nil {
			return x, x.addListed(ctx, dir, where, labels, label)
		}
	}
	found, err := subfolders(dir)
	if err != nil {
		return nil, err
	}
	for _, key := range found {
		class, ok := label[key]
		if !ok {
			return nil, malformed("%s has a class %q that %s does not have; remove it, or add its training images", dir, key, training)
		}
		if err := x.addClass(ctx, filepath.Join(dir, key), class); err != nil {
			return nil, err
		}
	}
	if len(x.files) == 0 {
		return nil, malformed("%s has no class folders with images", dir)
	}
	return x, nil
}

// classKeys are the names of the class folders in the order of their labels.
func classKeys(root, training string) ([]string, error) {
	found, err := subfolders(training)
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 0:
		return nil, malformed("%s has no class folders; put the images of each class into a folder of its own", training)
	case 1:
		return nil, malformed("%s has one class folder, %q, alone; there is nothing to tell apart", training, found[0])
	}
	order, err := readClassOrder(filepath.Join(root, classOrderFile))
	if err != nil || order == nil {
		return found, err
	}
	for _, key := range found {
		if !slices.Contains(order, key) {
			return nil, malformed("%s does not list the class folder %q of %s", filepath.Join(root, classOrderFile), key, training)
		}
	}
	if len(order) != len(found) {
		return nil, malformed("%s lists %d classes, %s has folders of %d", filepath.Join(root, classOrderFile), len(order), training, len(found))
	}
	return order, nil
}

// places are the places of keys in their list.
func places(keys []string) map[string]int {
	m := make(map[string]int, len(keys))
	for i, key := range keys {
		m[key] = i
	}
	return m
}

// subfolders are the names of the folders in dir, sorted byte by byte. Hidden ones
// do not count.
func subfolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !hidden(e) && isFolderEntry(dir, e) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func hidden(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }

// isFolderEntry follows links, with which large sets are often put together.
func isFolderEntry(dir string, e fs.DirEntry) bool {
	return e.IsDir() || e.Type()&fs.ModeSymlink != 0 && isFolder(filepath.Join(dir, e.Name()))
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// maxDepth is how deep folders of a class may lie in each other; links may be circles.
const maxDepth = 8

// addClass adds the images of one class folder.
func (x *folderIndex) addClass(ctx context.Context, dir string, label int) error {
	before := len(x.files)
	others := map[string]int{}
	if err := x.addFolder(ctx, dir, label, maxDepth, others); err != nil {
		return err
	}
	if len(x.files) > before {
		return nil
	}
	if len(others) == 0 {
		return malformed("the class folder %s is empty; add images or remove it", dir)
	}
	return malformed("the class folder %s has no .jpg, .jpeg or .png file, but %s; convert them or remove the folder", dir, counted(others))
}

// addFolder adds the images of dir and below. others counts the endings of other files.
func (x *folderIndex) addFolder(ctx context.Context, dir string, label, depth int, others map[string]int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	folder := len(x.folders)
	x.folders = append(x.folders, dir)
	for _, e := range entries {
		switch {
		case hidden(e):
		case isFolderEntry(dir, e):
			if depth == 0 {
				return malformed("%s: folders lie more than %d deep in each other", dir, maxDepth)
			}
			if err := x.addFolder(ctx, filepath.Join(dir, e.Name()), label, depth-1, others); err != nil {
				return err
			}
		case isImageName(e.Name()):
			x.files = append(x.files, imageFile{folder, label, e.Name()})
		default:
			others[strings.ToLower(filepath.Ext(e.Name()))]++
		}
	}
	return nil
}

// addListed adds the images of a folder whose labels stand in a list.
func (x *folderIndex) addListed(ctx context.Context, dir, where string, labels map[string]string, label map[string]int) error {
	images := filepath.Join(dir, "images")
	if !isFolder(images) {
		images = dir
	}
	entries, err := os.ReadDir(images)
	if err != nil {
		return err
	}
	x.folders = append(x.folders, images)
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if hidden(e) || !isImageName(e.Name()) {
			continue
		}
		key, ok := labels[imageID(e.Name())]
		if !ok {
			return malformed("%s has no label of %s", where, filepath.Join(images, e.Name()))
		}
		class, ok := label[key]
		if !ok {
			return malformed("%s: the class %q of %s has no folder of training images", where, key, e.Name())
		}
		x.files = append(x.files, imageFile{0, class, e.Name()})
	}
	if len(x.files) == 0 {
		return malformed("%s has no .jpg, .jpeg or .png file", images)
	}
	return nil
}

// isImageName goes by the ending alone; what a file holds is seen when it is decoded.
func isImageName(name string) bool {
	return slices.Contains([]string{".jpg", ".jpeg", ".png"}, strings.ToLower(filepath.Ext(name)))
}

// counted tells how many files have which ending, most frequent first.
func counted(endings map[string]int) string {
	names := slices.SortedFunc(maps.Keys(endings), func(a, b string) int {
		return cmp.Or(endings[b]-endings[a], strings.Compare(a, b))
	})
	var parts []string
	for _, name := range names[:min(3, len(names))] {
		parts = append(parts, fmt.Sprintf("%d %s", endings[name], cmp.Or(name, "without an ending")))
	}
	return strings.Join(parts, ", ")
}

// listing is what a folder holds; found is false where there is none.
func listing(dir string) (entries []fs.DirEntry, found bool, err error) {
	entries, err = os.ReadDir(dir)
	found, err = exists(err)
	return entries, found, err
}

// exists reports a file that is not there as no error.
func exists(err error) (bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
