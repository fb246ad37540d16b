package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

// The class names of MNIST and its kin, in the order of their labels.
var (
	digitClasses = strings.Fields("0 1 2 3 4 5 6 7 8 9")

	fashionClasses = []string{
		"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
	}
)

func init() {
	fashion := mnist("fashion-mnist", fashionClasses, 0.2860, 0.3530,
		"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", []remoteFile{
			{"train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880},
			{"train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 29_515},
			{"t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 4_422_102},
			{"t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 5_148},
		})
	fashion.system, fashion.pkg = "/usr/share/datasets/fashion-mnist", "dataset-fashion-mnist"
	Register(fashion.published())
	Register(mnist("mnist", digitClasses, 0.1307, 0.3081,
		"https://ossci-datasets.s3.amazonaws.com/mnist/", []remoteFile{
			{"train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422},
			{"train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28_881},
			{"t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1_648_877},
			{"t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4_542},
		}).published())
}

// mnist is a set of 28x28 images in the files of MNIST, in a folder of the set's name.
func mnist(name string, classes []string, mean, std float32, address string, files []remoteFile) *source {
	return &source{
		Source: Source{
			Name: name, Channels: 1, Height: 28, Width: 28, Classes: classes, Mean: []float32{mean}, Std: []float32{std},
		},
		folder: name, ambiguous: true, format: mnistFormat{}, address: address, remote: files,
	}
}

// mnistFormat is a folder of IDX files, plain or gzipped: images and labels of
// each split. MNIST and Fashion-MNIST use the same file names.
type mnistFormat struct{}

const mnistImages = "-images-idx3-ubyte"

func mnistFile(folder string, s Split, what string) string {
	return filepath.Join(folder, [...]string{Train: "train", Test: "t10k"}[s]+what)
}

// find implements format: the folder itself, when it has the images.
func (mnistFormat) find(place string, split Split) (string, bool) {
	_, ok := plainOrGzip(mnistFile(place, split, mnistImages))
	return place, ok
}

func (mnistFormat) load(ctx context.Context, src *source, folder string, split Split, _ OpenOptions) (Dataset, error) {
	sizes, pixels, err := readIDXFile(ctx, mnistFile(folder, split, mnistImages), 3)
	if err != nil {
		return nil, err
	}
	labelPath := mnistFile(folder, split, "-labels-idx1-ubyte")
	_, values, err := readIDXFile(ctx, labelPath, 1)
	if err != nil {
		return nil, err
	}
	if len(values) != sizes[0] {
		return nil, malformed("%s: %d labels for %d images", labelPath, len(values), sizes[0])
	}
	labels := make([]int, len(values))
	for i, v := range values {
		labels[i] = int(v)
	}
	set, err := NewMemory(src.Name, src.Classes, 1, sizes[1], sizes[2], pixels, labels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", labelPath, err)
	}
	return set, nil
}

// readIDXFile reads path, or path.gz where only that exists.
func readIDXFile(ctx context.Context, path string, axes int) ([]int, []byte, error) {
	name, ok := plainOrGzip(path)
	if !ok {
		return nil, nil, fmt.Errorf("%s(.gz) is missing: %w", path, ErrNotFound)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	var r io.Reader = bufio.NewReader(contextReader{ctx, file})
	if name != path {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, contentError(err))
		}
	}
	sizes, values, err := readIDX(r, axes)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return sizes, values, nil
}

// plainOrGzip is the one of path and path.gz that is a file, plain first.
func plainOrGzip(path string) (string, bool) {
	for _, name := range []string{path, path + ".gz"} {
		if isFile(name) {
			return name, true
		}
	}
	return "", false
}

const (
	idxUint8 = 0x08    // type code of unsigned bytes
	idxLimit = 1 << 31 // bytes of payload; 45 times the largest MNIST file
)

// readIDX reads an IDX file of unsigned bytes with the given number of axes:
// two zero bytes, the type code, the number of axes, one big-endian uint32 size
// for each axis, then the values, last axis fastest. It returns the sizes and
// the values.
func readIDX(r io.Reader, axes int) (sizes []int, values []byte, err error) {
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, nil, contentError(err)
	}
	if want := []byte{0, 0, idxUint8, byte(axes)}; !bytes.Equal(magic[:], want) {
		return nil, nil, malformed("starts with % x, an IDX file of this kind with % x", magic, want)
	}
	header := make([]uint32, axes)
	if err := binary.Read(r, binary.BigEndian, header); err != nil {
		return nil, nil, contentError(err)
	}
	total := 1
	for _, size := range header {
		if size == 0 || int64(size) > int64(idxLimit/total) {
			return nil, nil, malformed("declares axes of %d", header)
		}
		total *= int(size)
		sizes = append(sizes, int(size))
	}
	values, err = number.ReadBytes(r, total)
	if number.Truncated(err) {
		return nil, nil, malformed("truncated: %d of %d declared bytes", len(values), total)
	}
	if err != nil {
		return nil, nil, contentError(err)
	}
	if err := expectEOF(r); err != nil {
		return nil, nil, err
	}
	return sizes, values, nil
}
