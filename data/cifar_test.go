package data

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// smallCIFAR is a set in the layout of CIFAR-100 with one image for training
// in each of two files and two images for testing in one.
func smallCIFAR(use int) *source {
	return &source{
		Source: Source{Name: "small", Classes: []string{"x", "y", "z"}},
		folder: "small",
		format: &cifarFormat{
			folder:  "small-bin",
			archive: "small.tar.gz",
			files:   [2][]string{Train: {"a.bin", "b.bin"}, Test: {"test.bin"}},
			records: [2]int{Train: 1, Test: 2},
			labels:  []int{2, 3},
			use:     use,
			names:   "names.txt",
		},
	}
}

// record is one image whose first pixel is first and whose others are 50.
func record(first byte, labels ...byte) []byte {
	pixels := bytes.Repeat([]byte{50}, cifarPixels)
	pixels[0] = first
	return append(labels, pixels...)
}

func openSource(src *source, path string, split Split) (Dataset, error) {
	return src.open(context.Background(), path, split, OpenOptions{})
}

func smallFiles() []member {
	return []member{
		{"small-bin/names.txt", []byte("cat\ndog\nfox\n\n")},
		{"small-bin/b.bin", record(20, 0, 1)}, // out of order on purpose
		{"small-bin/a.bin", record(10, 1, 2)},
		{"small-bin/test.bin", append(record(30, 1, 0), record(40, 0, 2)...)},
	}
}

func TestOpenCIFAR(t *testing.T) {
	tarred := folder(t, member{"small.tar.gz", tarball(t, smallFiles()...)})
	unpacked := folder(t, smallFiles()...)
	for name, path := range map[string]string{
		"archive":          filepath.Join(tarred, "small.tar.gz"),
		"folder of one":    tarred,
		"unpacked":         filepath.Join(unpacked, "small-bin"),
		"parent":           unpacked,
		"grandparent":      folder(t, renamed("small/", smallFiles())...),
		"archive of fetch": folder(t, member{"small/small.tar.gz", tarball(t, smallFiles()...)}),
	} {
		t.Run(name, func(t *testing.T) {
			set, err := openSource(smallCIFAR(1), path, Train)
			require.NoError(t, err)
			assert.Equal(t, []string{"cat", "dog", "fox"}, set.Classes(), "names of the file, not the built-in ones")
			pixels, labels := readAll(t, set)
			assert.Equal(t, append(record(10), record(20)...), pixels)
			assert.Equal(t, []int{2, 1}, labels)

			set, err = openSource(smallCIFAR(1), path, Test)
			require.NoError(t, err)
			pixels, labels = readAll(t, set)
			assert.Equal(t, append(record(30), record(40)...), pixels)
			assert.Equal(t, []int{0, 2}, labels)
		})
	}
}

func renamed(prefix string, files []member) []member {
	for i := range files {
		files[i].name = prefix + files[i].name
	}
	return files
}

func TestOpenCIFARCoarseLabelsAndBuiltInNames(t *testing.T) {
	set, err := openSource(smallCIFAR(0), folder(t, smallFiles()[1:]...), Train)
	require.NoError(t, err)
	_, labels := readAll(t, set)
	assert.Equal(t, []int{1, 0}, labels)
	assert.Equal(t, []string{"x", "y", "z"}, set.Classes())
}

func TestOpenCIFARRefuses(t *testing.T) {
	replace := func(i int, content []byte) []member {
		files := smallFiles()
		files[i].content = content
		return files
	}
	both := func(name string, files []member, sentinel error, parts ...string) {
		t.Run(name, func(t *testing.T) {
			_, err := openSource(smallCIFAR(1), folder(t, files...), Train)
			requireOneLine(t, err, sentinel, append(parts, "small-bin", "small: ")...)
			archive := folder(t, member{"small.tar.gz", tarball(t, files...)})
			_, err = openSource(smallCIFAR(1), archive, Train)
			requireOneLine(t, err, sentinel, append(parts, "small.tar.gz", "small: ")...)
		})
	}
	whole := record(10, 1, 2)
	both("cut in the pixels", replace(2, whole[:len(whole)-1]), ErrFormat, "a.bin", "truncated")
	both("cut in the labels", replace(2, whole[:1]), ErrFormat, "a.bin", "truncated")
	both("empty", replace(2, nil), ErrFormat, "a.bin", "truncated")
	both("trailing byte", replace(2, append(whole, 0)), ErrFormat, "a.bin", "after the declared end")
	both("coarse label", replace(2, record(1, 2, 0)), ErrFormat, "a.bin", "label 2 of 2 classes")
	both("fine label", replace(2, record(1, 0, 3)), ErrFormat, "a.bin", "label 3 of 3 classes")
	both("too few names", replace(0, []byte("cat\ndog\n")), ErrFormat, "names.txt", "2 class names")
	both("file missing", append(smallFiles()[:1], smallFiles()[2:]...), ErrNotFound, "b.bin", "spikedhs data fetch small")
}

func TestOpenCIFARRefusesBrokenArchives(t *testing.T) {
	good := tarball(t, smallFiles()...)
	wrongSum := bytes.Clone(good)
	wrongSum[len(wrongSum)-8] ^= 1
	for name, content := range map[string][]byte{
		"not gzip":     []byte("<html>moved</html>"),
		"not tar":      gzipped(t, bytes.Repeat([]byte("x"), 2048)),
		"cut off":      good[:len(good)/2],
		"no checksum":  good[:len(good)-8],
		"bad checksum": wrongSum,
		"twice":        tarball(t, append(smallFiles(), smallFiles()[1])...),
	} {
		_, err := openSource(smallCIFAR(1), folder(t, member{"small.tar.gz", content}), Train)
		require.Error(t, err, name)
		requireOneLine(t, err, ErrFormat, "small.tar.gz", "remove the file")
	}
}

func TestOpenCIFARStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, dir := range []string{
		folder(t, smallFiles()...),
		folder(t, member{"small.tar.gz", tarball(t, smallFiles()...)}),
	} {
		_, err := smallCIFAR(1).open(ctx, dir, Train, OpenOptions{})
		require.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, ErrFormat)
	}
}

// Whatever is accepted must be exactly n records, and nothing else may be.
func FuzzCIFAR(f *testing.F) {
	good := append(record(30, 1, 0), record(40, 0, 2)...)
	f.Add(good, 2)
	f.Add(good[:len(good)-1], 2)
	f.Add(append(good, 1), 2)
	f.Add(record(1, 2, 0), 1)
	f.Add([]byte{}, 0)
	format := smallCIFAR(1).format.(*cifarFormat)
	f.Fuzz(func(t *testing.T, content []byte, n int) {
		if n < 0 || n > 4 {
			t.Skip("the number of records is not part of the input")
		}
		pixels, labels := make([]byte, n*cifarPixels), make([]int, n)
		err := format.decode(bytes.NewReader(content), pixels, labels)
		const size = 2 + cifarPixels
		want := len(content) == n*size
		for i := 0; want && i < n; i++ {
			want = content[i*size] < 2 && content[i*size+1] < 3
		}
		if !want {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		require.NoError(t, err)
		for i := range n {
			require.Equal(t, int(content[i*size+1]), labels[i])
			require.Equal(t, content[i*size+2:(i+1)*size], pixels[i*cifarPixels:(i+1)*cifarPixels])
		}
	})
}

// Every record file is put together again from what Open returns and must have
// the published sum. Each split reads the archive once.
func TestRealCIFAR10(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 170 MB twice; left out by -short")
	}
	archive := sharedFile(t, "cifar-10-binary.tar.gz")
	for split, sums := range map[Split][]string{
		Train: {
			"5dd7e06a14cb22eb9f671a540d1b7c25", "5ea93a67294ea407fff1d09f752e9692", "942cd6a4bcdd0dd3c604fbe906cb4421",
			"ae636b3ba5c66a11e91e8cb52e771fcb", "53f37980c15c3d472c316c40844f3f0d",
		},
		Test: {"803d5f7f4d78ea53de84dbe85f74fb6d"},
	} {
		set, err := Open(context.Background(), "cifar10", archive, split)
		require.NoError(t, err)
		require.Equal(t, 10_000*len(sums), set.Len())
		assert.Equal(t, cifar10Classes, set.Classes())
		file := make([]byte, 10_000*(1+cifarPixels))
		for part, want := range sums {
			for i := range 10_000 {
				at := file[i*(1+cifarPixels):]
				label, err := set.Image(part*10_000+i, at[1:])
				require.NoError(t, err)
				at[0] = byte(label)
			}
			assert.Equal(t, want, md5Of(file), "%s part %d", split, part+1)
		}
		if split == Train {
			assertNormalization(t, set)
		}
	}
}

// assertNormalization compares the catalogue's constants with the images.
func assertNormalization(t *testing.T, set Dataset) {
	t.Helper()
	mean, std, err := Normalization(set.Name())
	require.NoError(t, err)
	pixels := set.(*Memory).pixels
	for c := range 3 {
		var plane []byte
		for at := c * cifarSide * cifarSide; at < len(pixels); at += cifarPixels {
			plane = append(plane, pixels[at:at+cifarSide*cifarSide]...)
		}
		m, s := statistics(plane)
		assert.InDelta(t, m, mean[c], 1e-4)
		assert.InDelta(t, s, std[c], 1e-4)
	}
}

func TestIsFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	require.NoError(t, os.WriteFile(name, nil, 0o644))
	assert.True(t, isFile(name))
	assert.False(t, isFile(dir))
	assert.False(t, isFile(name+"x"))
}
