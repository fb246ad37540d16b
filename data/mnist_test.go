package data

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	twoImages = []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} // two of 2x3
	twoLabels = []byte{9, 0}
)

func TestOpenMNIST(t *testing.T) {
	images, labels := idxFile(twoImages, 2, 2, 3), idxFile(twoLabels, 2)
	for name, dir := range map[string]string{
		"plain": folder(t,
			member{"train-images-idx3-ubyte", images}, member{"train-labels-idx1-ubyte", labels}),
		"gzipped": folder(t,
			member{"train-images-idx3-ubyte.gz", gzipped(t, images)}, member{"train-labels-idx1-ubyte.gz", gzipped(t, labels)}),
		"mixed": folder(t,
			member{"train-images-idx3-ubyte", images}, member{"train-labels-idx1-ubyte.gz", gzipped(t, labels)}),
		"parent": folder(t,
			member{"mnist/train-images-idx3-ubyte", images}, member{"mnist/train-labels-idx1-ubyte", labels}),
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Open(context.Background(), "mnist", dir, Train)
			require.NoError(t, err)
			c, h, w := set.Shape()
			assert.Equal(t, []int{1, 2, 3}, []int{c, h, w})
			assert.Equal(t, "mnist", set.Name())
			assert.Equal(t, digitClasses, set.Classes())
			gotPixels, gotLabels := readAll(t, set)
			assert.Equal(t, twoImages, gotPixels)
			assert.Equal(t, []int{9, 0}, gotLabels)

			_, err = Open(context.Background(), "mnist", dir, Test)
			requireOneLine(t, err, ErrNotFound, "no test files", dir, "`spikedhs data fetch mnist --dir "+dir)
		})
	}
}

func TestOpenMNISTRefuses(t *testing.T) {
	const imageName, labelName = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
	images, labels := idxFile(twoImages, 2, 2, 3), idxFile(twoLabels, 2)
	packed := gzipped(t, images)
	wrongSum := append([]byte(nil), packed...)
	wrongSum[len(wrongSum)-8] ^= 1
	for name, c := range map[string]struct {
		files    []member
		sentinel error
		parts    []string
	}{
		"no labels":       {[]member{{imageName, images}}, ErrNotFound, []string{labelName, "missing"}},
		"count mismatch":  {[]member{{imageName, images}, {labelName, idxFile([]byte{1}, 1)}}, ErrFormat, []string{labelName, "1 labels for 2 images"}},
		"label too high":  {[]member{{imageName, images}, {labelName, idxFile([]byte{0, 10}, 2)}}, ErrFormat, []string{labelName, "image 1 has label 10"}},
		"labels as image": {[]member{{imageName, labels}, {labelName, labels}}, ErrFormat, []string{imageName, "00 00 08 03"}},
		"not gzip":        {[]member{{imageName + ".gz", images}}, ErrFormat, []string{imageName + ".gz"}},
		"gzip cut off":    {[]member{{imageName + ".gz", packed[:len(packed)-9]}}, ErrFormat, []string{"truncated"}},
		"gzip bad sum":    {[]member{{imageName + ".gz", wrongSum}}, ErrFormat, []string{imageName + ".gz"}},
		"trailing byte":   {[]member{{imageName, append(images[:len(images):len(images)], 0)}}, ErrFormat, []string{"after the declared end", "remove the file"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(context.Background(), "fashion-mnist", folder(t, c.files...), Test)
			requireOneLine(t, err, c.sentinel, append(c.parts, "fashion-mnist: ", "`spikedhs data fetch fashion-mnist --dir /")...)
		})
	}
}

func TestOpenMNISTStopsWithContext(t *testing.T) {
	dir := folder(t, member{"train-images-idx3-ubyte", idxFile(twoImages, 2, 2, 3)})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Open(ctx, "mnist", dir, Train)
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, ErrFormat)
}

// The Debian package compresses the files anew, so their published sums do not
// apply: what is checked is what the images must be.
func TestRealFashionMNIST(t *testing.T) {
	const dir = "/usr/share/datasets/fashion-mnist"
	if !isFile(filepath.Join(dir, "train-images-idx3-ubyte.gz")) {
		t.Skip("the package dataset-fashion-mnist is not installed")
	}
	t.Setenv("SPIKEDHS_DATA", t.TempDir())
	for split, n := range map[Split]int{Train: 60_000, Test: 10_000} {
		set, err := Open(context.Background(), "fashion-mnist", "", split)
		require.NoError(t, err)
		require.Equal(t, n, set.Len())
		c, h, w := set.Shape()
		require.Equal(t, []int{1, 28, 28}, []int{c, h, w})
		pixels, labels := readAll(t, set)

		perClass := make([]int, 10)
		for _, label := range labels {
			perClass[label]++
		}
		for class, count := range perClass {
			assert.Equal(t, n/10, count, "images of class %d", class)
		}
		if split == Train {
			mean, std := statistics(pixels)
			assert.InDelta(t, 0.2860, mean, 5e-5)
			assert.InDelta(t, 0.3530, std, 5e-5)
			assert.Equal(t, "Ankle boot", set.Classes()[labels[0]])
			assert.Equal(t, []int{9, 0, 0, 3, 0, 2, 7, 2}, labels[:8])
		}
	}
}

// md5Of is the checksum of a byte slice as the data sets publish it.
func md5Of(content []byte) string {
	sum := md5.Sum(content)
	return hex.EncodeToString(sum[:])
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("SPIKEDHS_DATA", "/somewhere")
	assert.Equal(t, "/somewhere", DefaultDir())
	t.Setenv("SPIKEDHS_DATA", "")
	t.Setenv("XDG_CACHE_HOME", "/cache")
	t.Setenv("HOME", "/home/nobody")
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(cache, "spikedhs"), DefaultDir())
}
