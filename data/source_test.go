package data

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShape(t *testing.T) {
	for name, want := range map[string][4]int{
		"mnist": {1, 28, 28, 10}, "fashion-mnist": {1, 28, 28, 10}, "cifar10": {3, 32, 32, 10},
		"cifar100": {3, 32, 32, 100}, "cifar100-coarse": {3, 32, 32, 20}, "imagenet": {3, 224, 224, 1000},
	} {
		c, h, w, classes, err := Shape(name)
		require.NoError(t, err)
		assert.Equal(t, want, [4]int{c, h, w, classes}, name)
	}
	for _, name := range Names() {
		_, _, _, _, err := Shape(name)
		assert.NoError(t, err, name)
	}
	_, _, _, _, err := Shape("cifar11")
	assert.ErrorIs(t, err, ErrUnknown)
}

func TestCatalogIsComplete(t *testing.T) {
	assert.Equal(t, []string{
		"cifar10", "cifar10-dvs", "cifar100", "cifar100-coarse", "event-folder", "fashion-mnist", "image-folder", "imagenet", "mnist", "n-mnist",
	}, Names())
	assert.Equal(t, []string{"cifar10-dvs", "event-folder", "n-mnist"}, EventNames())
	for name, classes := range map[string]int{
		"fashion-mnist": 10, "mnist": 10, "cifar10": 10, "cifar100": 100, "cifar100-coarse": 20,
	} {
		s, err := Lookup(name)
		require.NoError(t, err)
		src := s.files
		assert.Len(t, src.Classes, classes, name)
		unique := slices.Compact(slices.Sorted(slices.Values(src.Classes)))
		assert.Len(t, unique, classes, name)
		assert.Equal(t, len(src.Mean), len(src.Std))
		for _, file := range src.remote {
			assert.Regexp(t, `^[0-9a-f]{32}$`, file.md5)
		}
		if f, ok := src.format.(*cifarFormat); ok {
			assert.Equal(t, classes, f.labels[f.use], "%s: the label byte and the names agree", name)
			assert.Equal(t, f.archive, src.remote[0].name)
			assert.True(t, name == "cifar10" || slices.IsSorted(src.Classes), "CIFAR-100 numbers its classes by the alphabet")
		}
	}
}

func TestNormalization(t *testing.T) {
	for name, want := range map[string][2][]float32{
		"fashion-mnist":   {{0.2860}, {0.3530}},
		"mnist":           {{0.1307}, {0.3081}},
		"cifar10":         {{0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616}},
		"cifar100":        {{0.5071, 0.4867, 0.4408}, {0.2675, 0.2565, 0.2761}},
		"cifar100-coarse": {{0.5071, 0.4867, 0.4408}, {0.2675, 0.2565, 0.2761}},
		"image-folder":    {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}},
		"imagenet":        {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}},
	} {
		mean, std, err := Normalization(name)
		require.NoError(t, err)
		assert.Equal(t, want, [2][]float32{mean, std}, name)
		mean[0], std[0] = 9, 9
		again, _, err := Normalization(name)
		require.NoError(t, err)
		assert.Equal(t, want[0], again, "the caller cannot change the constants")
	}
	_, _, err := Normalization("svhn")
	requireOneLine(t, err, ErrUnknown, `"svhn"`, "cifar10", "imagenet")
}

func TestOpenRefusesUnknownNames(t *testing.T) {
	_, err := Open(context.Background(), "svhn", "", Train)
	requireOneLine(t, err, ErrUnknown, `"svhn"`, "fashion-mnist")
	_, err = Open(context.Background(), "mnist", "", Split(5))
	assert.ErrorContains(t, err, "choose train or test")
}

func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{
		"/data/a-b_c.d": "/data/a-b_c.d", "~/data": "~/data", "": "''", "a b": "'a b'", "$HOME": "'$HOME'",
		"it's": `'it'\''s'`, "-x": "'-x'",
	} {
		assert.Equal(t, want, shellWord(text))
	}
}

func TestFetchSize(t *testing.T) {
	// As published: what Debian has is 23 or 24 bytes shorter a file, without its name.
	assert.EqualValues(t, 30_878_645, FetchSize("fashion-mnist"))
	for _, name := range Names() {
		assert.Equal(t, Fetchable(name), FetchSize(name) > 0, name)
	}
	assert.Zero(t, FetchSize("svhn"))
}

func TestOpenSaysHowToGetMissingData(t *testing.T) {
	empty := t.TempDir()
	_, err := Open(context.Background(), "cifar10", empty, Train)
	requireOneLine(t, err, ErrNotFound, empty, "`spikedhs data fetch cifar10 --dir "+empty+"`")
	_, err = Open(context.Background(), "fashion-mnist", "my pictures", Train)
	requireOneLine(t, err, ErrNotFound, "`spikedhs data fetch fashion-mnist --dir 'my pictures'`")
	_, err = Open(context.Background(), "cifar10", "gone.tar.gz", Train)
	requireOneLine(t, err, ErrNotFound, "`spikedhs data fetch cifar10`")

	t.Setenv("SPIKEDHS_DATA", empty)
	_, err = Open(context.Background(), "cifar100", "", Test)
	requireOneLine(t, err, ErrNotFound, empty, "`spikedhs data fetch cifar100`")
	src, err := Lookup("fashion-mnist")
	require.NoError(t, err)
	assert.Equal(t, "`spikedhs data fetch fashion-mnist`, or on Debian `apt install dataset-fashion-mnist`", src.files.remedy(""))
}

// MNIST and Fashion-MNIST have the same file names, so files that lie directly
// in the default folder must not be taken for either.
func TestOpenDoesNotGuessBetweenMNISTs(t *testing.T) {
	files := []member{
		{"train-images-idx3-ubyte", idxFile(twoImages, 2, 2, 3)},
		{"train-labels-idx1-ubyte", idxFile(twoLabels, 2)},
	}
	t.Setenv("SPIKEDHS_DATA", folder(t, files...))
	_, err := Open(context.Background(), "mnist", "", Train)
	require.ErrorIs(t, err, ErrNotFound)
	t.Setenv("SPIKEDHS_DATA", folder(t, renamed("mnist/", files)...))
	set, err := Open(context.Background(), "mnist", "", Train)
	require.NoError(t, err)
	assert.Equal(t, 2, set.Len())
}

// A set of a program's own is opened, told and listed like those of the package.
func TestRegister(t *testing.T) {
	set, err := NewMemory("mine", []string{"a", "b"}, 1, 2, 3, make([]byte, 12), []int{0, 1})
	require.NoError(t, err)
	opened := ""
	mine := Source{
		Name: "mine", Channels: 1, Height: 2, Width: 3, Classes: []string{"a", "b"},
		Open: func(_ context.Context, path string, split Split, _ OpenOptions) (Dataset, error) {
			opened = path + " " + split.String()
			return set, nil
		},
	}
	Register(mine)
	t.Cleanup(func() { delete(sources, "mine") })
	have, err := Open(context.Background(), "mine", "place", Test)
	require.NoError(t, err)
	assert.Same(t, set, have)
	assert.Equal(t, "place test", opened)
	assert.Contains(t, Names(), "mine")
	assert.False(t, IsEvents("mine"))
	assert.False(t, Fetchable("mine"))
	_, err = Fetch(context.Background(), "mine", "", FetchOptions{})
	requireOneLine(t, err, ErrNotFound, "mine cannot be fetched")
	where, err := Locate("mine", "place", Train)
	require.NoError(t, err)
	assert.Equal(t, "place", where)
	where, err = Locate("mine", "", Train)
	require.NoError(t, err)
	assert.Equal(t, "registered by the program", where)
	c, h, w, classes, err := Shape("mine")
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 2}, []int{c, h, w, classes})
	assert.Equal(t, 2, Side("mine", 9, nil), "its images have one size")
	mean, _, err := Normalization("mine")
	require.NoError(t, err)
	assert.Nil(t, mean)
	_, err = OpenEvents(context.Background(), "mine", "", Train, EventOptions{})
	assert.ErrorIs(t, err, ErrUnknown)
	assert.Panics(t, func() { Register(mine) }, "twice")
	assert.Panics(t, func() { Register(Source{Name: "nothing"}) })
}

func TestSide(t *testing.T) {
	for want, have := range map[int]int{
		28:  Side("mnist", 64, nil),
		224: Side("imagenet", 0, nil), 96: Side("image-folder", 96, nil),
		34: Side("n-mnist", 0, nil), 16: Side("n-mnist", 16, nil), 20: Side("n-mnist", 0, []int{30, 20}),
		0: Side("event-folder", 0, nil),
	} {
		assert.Equal(t, want, have)
	}
	assert.Zero(t, Side("svhn", 32, nil))
}
