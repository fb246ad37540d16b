package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/events"
)

// aerFile is a recording of n random events on 34 x 34 pixels.
func aerFile(t testing.TB, seed uint64, n int) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	list := make([]events.Event, n)
	for i := range list {
		list[i] = events.At(int64(i)*100, uint16(rng.IntN(34)), uint16(rng.IntN(34)), rng.IntN(2) == 1)
	}
	content, err := events.EncodeAER(list)
	require.NoError(t, err)
	return content
}

// nmnistFolder has 3 training and 2 test recordings of classes 0, 1 and 7.
func nmnistFolder(t testing.TB) string {
	t.Helper()
	var files []member
	for i, name := range []string{"Train/0/00001.bin", "Train/1/00002.bin", "Train/7/00003.bin", "Test/1/00001.bin", "Test/7/00002.bin"} {
		files = append(files, member{name, aerFile(t, uint64(i), 300)})
	}
	return folder(t, append(files, member{"Train/0/readme.md", []byte("no recording")})...)
}

func openEvents(t testing.TB, name, dir string, split Split, o EventOptions) *EventSet {
	t.Helper()
	s, err := OpenEvents(context.Background(), name, dir, split, o)
	require.NoError(t, err)
	return s
}

func recordingLabels(t testing.TB, s *EventSet) []int {
	t.Helper()
	_, labels := readAll(t, s)
	return labels
}

func TestEventSetOfClassFolders(t *testing.T) {
	dir := nmnistFolder(t)
	train := openEvents(t, "n-mnist", dir, Train, EventOptions{Stacks: events.Stacks{Steps: 3, Size: 32}})
	test := openEvents(t, "n-mnist", dir, Test, EventOptions{Stacks: events.Stacks{Steps: 3, Size: 32}})
	assert.Equal(t, []int{0, 1, 7}, recordingLabels(t, train))
	assert.Equal(t, []int{1, 7}, recordingLabels(t, test))
	assert.Equal(t, digitClasses, train.Classes())
	c, h, w := train.Shape()
	assert.Equal(t, []int{6, 32, 32, 3}, []int{c, h, w, train.Steps()})

	// What Image gives is what the packages's parts give.
	r, err := events.Open(filepath.Join(dir, "Train/1/00002.bin"), events.Options{Width: 34, Height: 34})
	require.NoError(t, err)
	want := make([]byte, 6*32*32)
	require.NoError(t, events.Stacks{Steps: 3, Size: 32}.Make(want, r))
	have := make([]byte, len(want))
	_, err = train.Image(1, have)
	require.NoError(t, err)
	assert.Equal(t, want, have)
	alone, err := StackFile(train.File(1), "n-mnist", train.Options())
	require.NoError(t, err)
	assert.Equal(t, want, alone)
}

// The lists of a published extract of N-MNIST.
func TestEventSetOfLists(t *testing.T) {
	files := []member{
		{"train1K.txt", []byte("#sample #class\n1\t5\n2\t0\n")}, {"test100.txt", []byte("60001\t7\n")},
		{"1.bs2", aerFile(t, 1, 99)}, {"2.bs2", aerFile(t, 2, 99)}, {"60001.bs2", aerFile(t, 3, 99)},
	}
	dir := folder(t, files...)
	assert.Equal(t, []int{5, 0}, recordingLabels(t, openEvents(t, "n-mnist", dir, Train, EventOptions{})))
	assert.Equal(t, []int{7}, recordingLabels(t, openEvents(t, "n-mnist", dir, Test, EventOptions{})))
	for message, list := range map[string]string{
		"line 1: 1 words": "1\n", `class "10" of 10`: "1 10\n", `class "x" of 10`: "1 x\n", "no recording of sample 9": "9 1\n",
		"no file name": "../1 1\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "train1K.txt"), []byte(list), 0o644))
		_, err := OpenEvents(context.Background(), "n-mnist", dir, Train, EventOptions{})
		require.Error(t, err)
		assert.ErrorContains(t, err, message)
		assert.True(t, errors.Is(err, ErrFormat) || errors.Is(err, ErrNotFound))
	}
}

// Without a split, the last tenth of each class is for tests, numbers counting.
func TestEventSetWithoutSplit(t *testing.T) {
	var files []member
	content := aerFile(t, 1, 50)
	for i := range 25 {
		files = append(files, member{fmt.Sprintf("b/cat_%d.bin", i), content})
	}
	for i := range 10 {
		files = append(files, member{fmt.Sprintf("a/dog_%d.bin", i), content})
	}
	dir := folder(t, append(files, member{ClassesFile, []byte("first\nsecond\n")})...)
	o := EventOptions{Width: 34, Height: 34}
	train, test := openEvents(t, "event-folder", dir, Train, o), openEvents(t, "event-folder", dir, Test, o)
	assert.Equal(t, 9+23, train.Len())
	var names []string
	for i := range test.Len() {
		names = append(names, filepath.Base(test.File(i)))
	}
	assert.Equal(t, []string{"dog_9.bin", "cat_23.bin", "cat_24.bin"}, names)
	assert.Equal(t, []string{"first", "second"}, test.Classes())
	assert.Equal(t, []int{0, 1, 1}, recordingLabels(t, test))
	for i := range train.Len() {
		assert.NotContains(t, names, filepath.Base(train.File(i)))
	}
	_, err := OpenEvents(context.Background(), "event-folder", dir, Train, EventOptions{})
	requireOneLine(t, err, ErrFormat, "does not say how large its sensor is", "data.sensor = [width, height]")
}

// CIFAR10-DVS: folders in any order get the labels of CIFAR-10, and pictures that
// stand upright.
func TestCIFAR10DVS(t *testing.T) {
	header := []byte("#!AER-DAT2.0\r\n")
	// Column 127-3 from the right, row 127-10 from below, ON.
	content := append(header, 0, 0, 10, 3<<1, 0, 0, 0, 7)
	dir := folder(t,
		member{"truck/cifar10_truck_0.aedat", content}, member{"truck/cifar10_truck_1.aedat", content},
		member{"bird/cifar10_bird_0.aedat", content}, member{"bird/cifar10_bird_1.aedat", content})
	s := openEvents(t, "cifar10-dvs", dir, Test, EventOptions{Stacks: events.Stacks{Steps: 1}})
	assert.Equal(t, []int{2, 9}, recordingLabels(t, s))
	stack := make([]byte, 2*128*128)
	_, err := s.Image(0, stack)
	require.NoError(t, err)
	assert.EqualValues(t, 1, stack[(127-3)*128+127-10])
	assert.Equal(t, 1, bytes.Count(stack, []byte{1}))
	_, err = OpenEvents(context.Background(), "cifar10-dvs", folder(t, member{"lorry/a.aedat", content}, member{"lorry/b.aedat", content}), Train, EventOptions{})
	requireOneLine(t, err, ErrFormat, `"lorry"`, "event-folder")
}

func TestNaturalOrder(t *testing.T) {
	list := []string{"a10", "b", "a9", "a2b", "a", "a02", "a2"}
	slices.SortFunc(list, natural)
	assert.Equal(t, []string{"a", "a02", "a2", "a2b", "a9", "a10", "b"}, list)
}

// Stacks are kept: the files may go. Without memory they may not.
func TestEventSetKeepsStacks(t *testing.T) {
	for _, kind := range []events.Kind{events.Binary, events.Counts, events.Ternary} {
		dir := nmnistFolder(t)
		o := EventOptions{Stacks: events.Stacks{Steps: 3, Kind: kind}}
		s := openEvents(t, "n-mnist", dir, Train, o)
		o.Memory = -1
		forgetful := openEvents(t, "n-mnist", dir, Train, o)
		first, labels := readAll(t, s)
		same, _ := readAll(t, forgetful)
		assert.Equal(t, first, same)
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "Train")))
		second, again := readAll(t, s)
		assert.Equal(t, first, second)
		assert.Equal(t, labels, again)
		_, err := forgetful.Image(0, make([]byte, len(first)))
		assert.ErrorIs(t, err, os.ErrNotExist)
	}
	// Room for two binary stacks of 2*34*34 bits.
	o := EventOptions{Stacks: events.Stacks{Steps: 1}, Memory: 2 * 289}
	s := openEvents(t, "n-mnist", nmnistFolder(t), Train, o)
	readAll(t, s)
	kept := 0
	for i := range s.Len() {
		if s.kept.Get(i) != nil {
			kept++
		}
	}
	assert.Equal(t, 2, kept)
}

// A loader treats all steps alike: crop and flip of a stack are those of each step.
func TestLoaderOfStacks(t *testing.T) {
	dir := nmnistFolder(t)
	s := openEvents(t, "n-mnist", dir, Train, EventOptions{Stacks: events.Stacks{Steps: 3, Kind: events.Ternary, Size: 16}})
	part, err := Subset(s, []int{2, 0})
	require.NoError(t, err)
	timed, ok := AsTimed(part)
	require.True(t, ok)
	assert.Equal(t, 3, timed.Steps())
	_, ok = AsTimed(noise(t, 3, 1, 2, 2))
	assert.False(t, ok)
	loader, err := NewLoader(part, LoaderOptions{Batch: 2, Seed: 5, Augment: Augment{CropPadding: 3, Flip: true, Cutout: 4}})
	require.NoError(t, err)
	for epoch := range 4 {
		batches := loader.Epoch(context.Background(), epoch, 0)
		b, err := batches.Next()
		require.NoError(t, err)
		assert.Equal(t, []int{3, 16, 16}, []int{b.C, b.H, b.W})
		for k, i := range []int{2, 0} {
			stack := make([]byte, 3*16*16)
			label, err := s.Image(i, stack)
			require.NoError(t, err)
			assert.EqualValues(t, label, b.Labels[k])
			choice := b.Choices[k]
			for step := range 3 {
				for y := range 16 {
					for x := range 16 {
						from, want := x, float32(0)
						if choice.Flip {
							from = 15 - x
						}
						row, col := y+choice.Top, from+choice.Left
						if row >= 0 && row < 16 && col >= 0 && col < 16 {
							want = float32(int8(stack[(step*16+row)*16+col]))
						}
						if d, e := y-choice.Row, x-choice.Col; d >= -2 && d < 2 && e >= -2 && e < 2 {
							want = 0
						}
						require.Equal(t, want, b.Inputs[0][((k*3+step)*16+y)*16+x], "epoch %d, image %d, step %d, row %d, column %d", epoch, k, step, y, x)
					}
				}
			}
		}
		_, err = batches.Next()
		assert.Equal(t, io.EOF, err)
		batches.Close()
	}
}

func TestEventSetErrors(t *testing.T) {
	ctx := context.Background()
	dir := nmnistFolder(t)
	_, err := OpenEvents(ctx, "mnist", dir, Train, EventOptions{})
	requireOneLine(t, err, ErrUnknown, "cifar10-dvs, event-folder, n-mnist")
	_, err = OpenEvents(ctx, "n-mnist", filepath.Join(dir, "none"), Train, EventOptions{})
	requireOneLine(t, err, ErrNotFound, "download it by hand from https://")
	_, err = OpenEvents(ctx, "n-mnist", t.TempDir(), Train, EventOptions{})
	requireOneLine(t, err, ErrNotFound, "no recordings of the train split")
	_, err = OpenEvents(ctx, "n-mnist", dir, Split(5), EventOptions{})
	assert.ErrorContains(t, err, "no split")
	_, err = OpenEvents(ctx, "n-mnist", dir, Train, EventOptions{Stacks: events.Stacks{Steps: -1}})
	assert.ErrorContains(t, err, "-1 time steps")
	_, err = Fetch(ctx, "n-mnist", dir, FetchOptions{})
	requireOneLine(t, err, ErrNotFound, "cannot be fetched", "by hand")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = OpenEvents(cancelled, "n-mnist", dir, Train, EventOptions{})
	assert.ErrorIs(t, err, context.Canceled)

	// A recording that is cut off is named, also by a loader.
	broken := filepath.Join(dir, "Train/7/00003.bin")
	require.NoError(t, os.WriteFile(broken, []byte("1234567"), 0o644))
	s := openEvents(t, "n-mnist", dir, Train, EventOptions{})
	_, err = s.Image(2, make([]byte, 12*34*34))
	requireOneLine(t, err, ErrFormat, broken, "truncated")
	_, err = s.Image(3, nil)
	assert.ErrorContains(t, err, "image 3 of 3")
	_, err = s.Image(0, nil)
	assert.ErrorContains(t, err, "needs a buffer")
	loader, err := NewLoader(s, LoaderOptions{Batch: 3})
	require.NoError(t, err)
	batches := loader.Epoch(ctx, 0, 0)
	defer batches.Close()
	_, err = batches.Next()
	requireOneLine(t, err, ErrFormat, broken)
}

func TestProblemsAreCountedAndToldOnce(t *testing.T) {
	bad := []byte{50, 0, 0, 0, 1, 1, 1, 0, 0, 9, 2, 2, 0, 0, 5} // beside the sensor, then back in time
	dir := folder(t, member{"Train/3/1.bin", bad}, member{"Train/4/2.bin", bad}, member{"Test/3/3.bin", bad})
	var log bytes.Buffer
	s := openEvents(t, "n-mnist", dir, Train, EventOptions{Log: slog.New(slog.NewTextHandler(&log, nil))})
	readAll(t, s)
	readAll(t, s)
	p, files := s.Problems()
	assert.Equal(t, events.Problems{Outside: 2, Unsorted: 2}, p)
	assert.Equal(t, 2, files)
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")), log.String())
	assert.Contains(t, log.String(), "1.bin")
}

// Recordings made of images are a data set.
func TestWriteSaccades(t *testing.T) {
	images := noise(t, 12, 1, 28, 28)
	dir := filepath.Join(t.TempDir(), "made")
	told := 0
	for _, split := range []Split{Train, Test} {
		require.NoError(t, WriteSaccades(context.Background(), images, dir, split, events.NMNISTSaccade(), func() { told++ }))
	}
	assert.Equal(t, 24, told)
	s := openEvents(t, "n-mnist", dir, Train, EventOptions{})
	assert.Equal(t, 12, s.Len())
	assert.Equal(t, []int{0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9}, recordingLabels(t, s))
	pixels := make([]byte, 28*28)
	_, err := images.Image(10, pixels)
	require.NoError(t, err)
	want, err := events.NMNISTSaccade().Record(pixels, 28, 28)
	require.NoError(t, err)
	r, err := events.Open(s.File(1), events.Options{})
	require.NoError(t, err)
	require.Len(t, r.Events, len(want))
	for i, e := range r.Events {
		// Files count from their first event.
		require.Equal(t, want[i], events.At(e.Microseconds()+want[0].Microseconds(), e.X, e.Y, e.P > 0))
	}
	err = WriteSaccades(context.Background(), images, dir, Test, events.NMNISTSaccade(), nil)
	assert.ErrorContains(t, err, "exists")
	assert.Error(t, WriteSaccades(context.Background(), noise(t, 1, 2, 3, 3), t.TempDir(), Train, events.NMNISTSaccade(), nil))
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, WriteSaccades(cancelled, images, t.TempDir(), Train, events.NMNISTSaccade(), nil), context.Canceled)
}

func TestGrey(t *testing.T) {
	assert.Equal(t, []byte{255, 76}, grey([]byte{255, 255, 255, 0, 255, 0}, 3))
}

// The real recordings of N-MNIST on this machine are without a problem.
func TestRealNMNIST(t *testing.T) {
	shared := os.Getenv("SPIKEDHS_SHARED_DATA")
	archive := filepath.Join(shared, "nmnist_small.tar.gz")
	if shared == "" || !isFile(archive) {
		t.Skip("$SPIKEDHS_SHARED_DATA has no nmnist_small.tar.gz")
	}
	dir := t.TempDir()
	out, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput()
	require.NoError(t, err, string(out))
	dir = filepath.Join(dir, "nmnist_small")
	train := openEvents(t, "n-mnist", dir, Train, EventOptions{Stacks: events.Stacks{Steps: 6, Size: 32}})
	test := openEvents(t, "n-mnist", dir, Test, EventOptions{Stacks: events.Stacks{Steps: 6, Size: 32}})
	assert.Equal(t, []int{1000, 100}, []int{train.Len(), test.Len()})
	labels := recordingLabels(t, test)
	assert.Equal(t, []int{7, 2}, labels[:2])
	for class := range 10 {
		assert.Contains(t, labels, class)
	}
	p, files := test.Problems()
	assert.Equal(t, events.Problems{}, p)
	assert.Zero(t, files)
}
