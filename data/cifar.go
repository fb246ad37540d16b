package data

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const (
	cifarSide   = 32
	cifarPixels = 3 * cifarSide * cifarSide // red, green and blue planes
	namesLimit  = 1 << 16                   // bytes of a file of class names
)

// The class names of the CIFAR sets, in the order of their labels. They give way to the
// names file that is published with each.
var (
	cifar10Classes = strings.Fields("airplane automobile bird cat deer dog frog horse ship truck")

	cifar100Coarse = strings.Fields(`
		aquatic_mammals fish flowers food_containers fruit_and_vegetables
		household_electrical_devices household_furniture insects large_carnivores
		large_man-made_outdoor_things large_natural_outdoor_scenes
		large_omnivores_and_herbivores medium_mammals non-insect_invertebrates
		people reptiles small_mammals trees vehicles_1 vehicles_2`)

	cifar100Classes = strings.Fields(`
		apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
		bowl boy bridge bus butterfly camel can castle caterpillar cattle
		chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
		dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
		lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
		mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
		plain plate poppy porcupine possum rabbit raccoon ray road rocket
		rose sea seal shark shrew skunk skyscraper snail snake spider
		squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
		train trout tulip turtle wardrobe whale willow_tree wolf woman worm`)
)

func init() {
	Register(cifar(Source{
		Name: "cifar10", Classes: cifar10Classes,
		Mean: []float32{0.4914, 0.4822, 0.4465}, Std: []float32{0.2470, 0.2435, 0.2616},
	}, "cifar10", cifarFormat{
		folder:  "cifar-10-batches-bin",
		records: [2]int{Train: 10_000, Test: 10_000},
		files: [2][]string{
			Train: {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
			Test:  {"test_batch.bin"},
		},
		labels: []int{10},
		names:  "batches.meta.txt",
	}, remoteFile{"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170_052_171}))
	for label, s := range []Source{
		{Name: "cifar100-coarse", Classes: cifar100Coarse},
		{Name: "cifar100", Classes: cifar100Classes},
	} {
		s.Mean, s.Std = []float32{0.5071, 0.4867, 0.4408}, []float32{0.2675, 0.2565, 0.2761}
		Register(cifar(s, "cifar100", cifarFormat{
			folder:  "cifar-100-binary",
			records: [2]int{Train: 50_000, Test: 10_000},
			files:   [2][]string{Train: {"train.bin"}, Test: {"test.bin"}},
			labels:  []int{20, 100},
			use:     label,
			names:   []string{"coarse_label_names.txt", "fine_label_names.txt"}[label],
		}, remoteFile{"cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733}))
	}
}

// cifar is a set whose files have a layout and come in one archive.
func cifar(s Source, folder string, format cifarFormat, archive remoteFile) Source {
	s.Channels, s.Height, s.Width = 3, cifarSide, cifarSide
	format.archive = archive.name
	return (&source{
		Source: s, folder: folder, format: &format,
		address: "https://www.cs.toronto.edu/~kriz/", remote: []remoteFile{archive},
	}).published()
}

// cifarFormat is the binary version of a CIFAR set: files of records, each one
// or two label bytes followed by the pixels of one image.
type cifarFormat struct {
	folder  string      // folder inside the published archive
	archive string      // file name of the published archive
	files   [2][]string // of each split in order
	records [2]int      // in each of its files
	labels  []int       // number of classes of each label byte of a record
	use     int         // the label byte that is the label
	names   string      // file of class names, one a line; it may be absent
}

// find implements format: place may be the archive, the unpacked folder, or a
// folder that holds either.
func (f *cifarFormat) find(place string, split Split) (string, bool) {
	first := f.files[split][0]
	archive := filepath.Join(place, f.archive)
	inner := filepath.Join(place, f.folder)
	switch {
	case isFile(place), isFile(filepath.Join(place, first)):
		return place, true
	case isFile(filepath.Join(inner, first)):
		return inner, true
	case isFile(archive):
		return archive, true
	}
	return "", false
}

func (f *cifarFormat) load(ctx context.Context, src *source, where string, split Split, _ OpenOptions) (Dataset, error) {
	files, records := f.files[split], f.records[split]
	total := records * len(files)
	pixels, labels := make([]byte, total*cifarPixels), make([]int, total)
	classes := src.Classes
	seen := map[string]bool{}

	err := eachMember(ctx, where, append(slices.Clone(files), f.names), func(name string, r io.Reader) (err error) {
		if seen[name] {
			return malformed("a second %s", name)
		}
		seen[name] = true
		if name == f.names {
			classes, err = readNames(r, len(src.Classes))
			return err
		}
		from := records * slices.Index(files, name)
		to := from + records
		return f.decode(r, pixels[from*cifarPixels:to*cifarPixels], labels[from:to])
	})
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if !seen[name] {
			return nil, fmt.Errorf("%s has no %s: %w", where, name, ErrNotFound)
		}
	}
	return NewMemory(src.Name, classes, 3, cifarSide, cifarSide, pixels, labels)
}

// decode reads exactly len(labels) records, which must be all that r has.
func (f *cifarFormat) decode(r io.Reader, pixels []byte, labels []int) error {
	buffered := bufio.NewReaderSize(r, 1<<16)
	record := make([]byte, len(f.labels)+cifarPixels)
	for i := range labels {
		if _, err := io.ReadFull(buffered, record); err != nil {
			return fmt.Errorf("record %d of %d: %w", i+1, len(labels), contentError(err))
		}
		for k, classes := range f.labels {
			if int(record[k]) >= classes {
				return malformed("record %d has label %d of %d classes", i+1, record[k], classes)
			}
		}
		labels[i] = int(record[f.use])
		copy(pixels[i*cifarPixels:], record[len(f.labels):])
	}
	return expectEOF(buffered)
}

// readNames reads one class name a line and wants n of them.
func readNames(r io.Reader, n int) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(r, namesLimit))
	if err != nil {
		return nil, contentError(err)
	}
	names := strings.Fields(string(text))
	if len(names) != n {
		return nil, malformed("%d class names, want %d", len(names), n)
	}
	return names, nil
}

// eachMember calls visit for those of the wanted files that exist in where, a
// folder or a .tar.gz archive, and stops at the first error. Errors name the
// file they belong to.
func eachMember(ctx context.Context, where string, wanted []string, visit func(name string, r io.Reader) error) error {
	if isFile(where) {
		return eachInArchive(ctx, where, wanted, visit)
	}
	return eachInFolder(ctx, where, wanted, visit)
}

func eachInFolder(ctx context.Context, folder string, wanted []string, visit func(string, io.Reader) error) error {
	for _, name := range wanted {
		file, err := os.Open(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		err = visit(name, contextReader{ctx, file})
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(folder, name), err)
		}
	}
	return nil
}

// eachInArchive streams the archive, which is never unpacked to disk. It reads
// on to the end, so that the checksum of the compressed stream is compared.
func eachInArchive(ctx context.Context, archive string, wanted []string, visit func(string, io.Reader) error) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(bufio.NewReaderSize(contextReader{ctx, file}, 1<<18))
	if err != nil {
		return fmt.Errorf("%s: %w", archive, contentError(err))
	}
	members := tar.NewReader(unzipped)
	for {
		header, err := members.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, contentError(err))
		}
		name := path.Base(header.Name)
		if header.Typeflag != tar.TypeReg || !slices.Contains(wanted, name) {
			continue
		}
		if err := visit(name, members); err != nil {
			return fmt.Errorf("%s: %s: %w", archive, header.Name, err)
		}
	}
	if _, err := io.Copy(io.Discard, unzipped); err != nil {
		return fmt.Errorf("%s: %w", archive, contentError(err))
	}
	return nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
