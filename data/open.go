package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

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

// remoteFile is a published file, its published checksum and its bytes.
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

// open reads one split from the first place that has it.
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
