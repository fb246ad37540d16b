package data

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFolderLayouts(t *testing.T) {
	a, b, c := pngOf(t, greyOf(8, 8, 10)), pngOf(t, greyOf(8, 8, 20)), jpegOf(t, greyOf(8, 8, 30))
	for name, files := range map[string]map[string][]byte{
		"folders": {
			"train/dog/x.png": b, "train/cat/x.png": a, "train/.hidden/x.png": a, "train/notes.txt": {},
			"val/cat/b.PNG": c, "val/dog/a.jpg": c, "val/cat/readme.txt": {},
		},
		"test in place of val": {"train/cat/x.png": a, "train/dog/x.png": b, "test/cat/b.jpg": a, "test/dog/a.jpg": c},
		"Tiny-ImageNet": {
			"train/cat/images/x.JPEG": c, "train/cat/cat_boxes.txt": {'x'}, "train/dog/images/x.JPEG": c,
			"val/images/val_0.JPEG": c, "val/images/val_1.JPEG": c,
			"val/val_annotations.txt": []byte("val_0.JPEG\tcat\t0\t32\t44\t62\nval_1.JPEG\tdog\t52\t55\t57\t59\n"),
		},
		"ImageNet of Kaggle": {
			"ILSVRC/Data/CLS-LOC/train/cat/x.JPEG": c, "ILSVRC/Data/CLS-LOC/train/dog/x.JPEG": c,
			"ILSVRC/Data/CLS-LOC/val/val_0.JPEG": c, "ILSVRC/Data/CLS-LOC/val/val_1.JPEG": c,
			"LOC_val_solution.csv": []byte("ImageId,PredictionString\nval_1,dog 1 2 3 4 dog 5 6 7 8\nval_0,cat 1 2 3 4\n"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := plant(t, files)
			o, log := quiet(4)
			train := openFolder(t, root, Train, o)
			assert.Equal(t, []string{"cat", "dog"}, train.Classes())
			assert.Equal(t, 2, train.Len())
			test := openFolder(t, root, Test, o)
			require.Equal(t, 2, test.Len())
			for _, set := range []*ImageFolder{train, test} {
				for i := range 2 {
					label, err := set.Image(i, make([]byte, 3*16))
					require.NoError(t, err)
					assert.Equal(t, i, label)
					assert.Equal(t, i, set.index.files[i].label)
				}
			}
			assert.Empty(t, log.String())
		})
	}
}

func TestFolderClassNames(t *testing.T) {
	files := small(t, 4, 1, 1)
	files["words.txt"] = []byte("class0\tgoldfish, Carassius auratus\nclass1\tcrane\nclass2\tcrane\nother\tnothing\n")
	set := openFolder(t, plant(t, files), Train, OpenOptions{})
	assert.Equal(t, []string{"goldfish", "crane (class1)", "crane (class2)", "class3"}, set.Classes())

	files["LOC_synset_mapping.txt"] = []byte("\ufeffclass3 tench, Tinca tinca\r\n\r\n")
	set = openFolder(t, plant(t, files), Train, OpenOptions{})
	assert.Equal(t, "tench", set.Classes()[3])

	files["classes.txt"] = []byte("class2\nclass0\tzero\nclass3\nclass1\n")
	set = openFolder(t, plant(t, files), Train, OpenOptions{})
	assert.Equal(t, []string{"crane (class2)", "zero", "tench", "crane (class1)"}, set.Classes())
	label, err := set.Image(0, make([]byte, 3*224*224))
	require.NoError(t, err)
	assert.Equal(t, 1, label, "class0 is the second of the list")
}

func TestFolderMistakes(t *testing.T) {
	img := pngOf(t, greyOf(8, 8, 10))
	good := func(more map[string][]byte) map[string][]byte {
		files := small(t, 2, 1, 1)
		for name, content := range more {
			files[name] = content
		}
		return files
	}
	for name, c := range map[string]struct {
		files map[string][]byte
		split Split
		kind  error
		want  string
	}{
		"nothing":             {map[string][]byte{}, Train, ErrNotFound, "name with data.path a folder that holds train and val"},
		"no test part":        {map[string][]byte{"train/a/x.png": img, "train/b/x.png": img}, Test, ErrNotFound, "no test files"},
		"no class folders":    {map[string][]byte{"train/x.png": img}, Train, ErrFormat, "has no class folders"},
		"one class":           {map[string][]byte{"train/cat/x.png": img}, Train, ErrFormat, `one class folder, "cat", alone`},
		"empty class":         {good(map[string][]byte{"train/empty": nil}), Train, ErrFormat, "empty is empty"},
		"other formats":       {good(map[string][]byte{"train/web/x.webp": img, "train/web/y.webp": img, "train/web/z": img}), Train, ErrFormat, "but 2 .webp, 1 without an ending"},
		"class of test alone": {good(map[string][]byte{"val/stray/x.png": img}), Test, ErrFormat, `a class "stray" that`},
		"list too short":      {good(map[string][]byte{"classes.txt": []byte("class0\n")}), Train, ErrFormat, `does not list the class folder "class1"`},
		"list too long":       {good(map[string][]byte{"classes.txt": []byte("class0\nclass1\nclass2")}), Train, ErrFormat, "lists 3 classes"},
		"list twice":          {good(map[string][]byte{"classes.txt": []byte("class0\nclass0\n")}), Train, ErrFormat, `line 2: a second class "class0"`},
		"no labels": {map[string][]byte{"train/a/x.png": img, "train/b/x.png": img, "val/x.png": img}, Test, ErrFormat,
			"neither"},
		"label missing": {map[string][]byte{"train/a/x.png": img, "train/b/x.png": img, "val/images/x.png": img, "val/val_annotations.txt": []byte("y.png\ta\n")},
			Test, ErrFormat, "has no label of"},
		"label unknown": {map[string][]byte{"train/a/x.png": img, "train/b/x.png": img, "val/images/x.png": img, "val/val_annotations.txt": []byte("x.png\tc\n")},
			Test, ErrFormat, `the class "c" of x.png has no folder`},
		"label malformed": {map[string][]byte{"train/a/x.png": img, "train/b/x.png": img, "val/images/x.png": img, "val/val_annotations.txt": []byte("x.png\n")},
			Test, ErrFormat, "val_annotations.txt: line 1"},
		"label twice": {map[string][]byte{"train/a/x.png": img, "train/b/x.png": img, "val/images/x.png": img, "val/val_annotations.txt": []byte("x.png\ta\nx.png\tb\n")},
			Test, ErrFormat, "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(context.Background(), "image-folder", plant(t, c.files), c.split)
			requireOneLine(t, err, c.kind, c.want)
		})
	}
	_, err := OpenWith(context.Background(), "image-folder", plant(t, good(nil)), Train, OpenOptions{Size: -1})
	require.ErrorContains(t, err, "size of -1 pixels")
	_, err = Open(context.Background(), "imagenet", t.TempDir(), Train)
	requireOneLine(t, err, ErrNotFound, "image-net.org")
	assert.False(t, Fetchable("imagenet") || Fetchable("svhn"))
	assert.True(t, Fetchable("cifar10"))
	_, err = Fetch(context.Background(), "imagenet", t.TempDir(), FetchOptions{})
	requireOneLine(t, err, ErrNotFound, "image-net.org")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Open(ctx, "image-folder", plant(t, good(nil)), Train)
	require.ErrorIs(t, err, context.Canceled)
}

func TestFolderLinks(t *testing.T) {
	root := plant(t, small(t, 2, 1, 1))
	if err := os.Symlink(filepath.Join(root, "train", "class0"), filepath.Join(root, "train", "class2")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	assert.Equal(t, 3, openFolder(t, root, Train, OpenOptions{}).Len())
	require.NoError(t, os.Symlink(filepath.Join(root, "train"), filepath.Join(root, "train", "class1", "circle")))
	_, err := Open(context.Background(), "image-folder", root, Train)
	requireOneLine(t, err, ErrFormat, "more than 8 deep")
}

func TestFolderArguments(t *testing.T) {
	set := openFolder(t, plant(t, small(t, 2, 2, 1)), Train, OpenOptions{Size: 6})
	_, err := set.Image(4, make([]byte, 108))
	require.ErrorContains(t, err, "image 4 of 4 does not exist")
	_, err = set.Image(-1, make([]byte, 108))
	require.Error(t, err)
	_, err = set.Image(0, make([]byte, 107))
	require.ErrorContains(t, err, "108 bytes")
	part, err := Subset(set, []int{3, 0})
	require.NoError(t, err)
	_, err = part.(Cropper).Crop(2, ImageNetCrop, nil, nil)
	require.ErrorContains(t, err, "image 2 of 2")
	assert.Equal(t, filepath.Join("class1", "image001.png"), strings.TrimPrefix(set.Path(3), filepath.Join(filepath.Dir(filepath.Dir(set.Path(3))))+string(filepath.Separator)))
}

// A class folder of 1,000 files has 10 that are damaged in different ways.
func damaged(t *testing.T, bad int) (root string, names []string) {
	t.Helper()
	files := map[string][]byte{}
	for c := range 10 {
		for k := range 100 {
			files[fmt.Sprintf("train/class%d/%03d.png", c, k)] = pngOf(t, greyOf(8, 8, uint8(100+c)))
		}
		files[fmt.Sprintf("val/class%d/0.png", c)] = pngOf(t, greyOf(8, 8, uint8(100+c)))
	}
	whole := jpegOf(t, scene(40, 30, 1))
	harm := [][]byte{
		{}, whole[:len(whole)/2], whole[:20], []byte("GIF89a......"), []byte("<!DOCTYPE html>"),
		bytes.Repeat([]byte{0}, 100), append([]byte("\x89PNG\r\n\x1a\n"), 1, 2, 3),
		files["train/class0/000.png"][:40], append(append([]byte{}, whole[:300]...), whole[400:]...), []byte("RIFF....WEBPVP8 "),
	}
	for k := range bad {
		// The last of a class, so that a replacement of another class would show, too.
		name := fmt.Sprintf("train/class%d/%03d.png", k%10, 50+7*(k/10)+k%10)
		files[name] = harm[k%len(harm)]
		names = append(names, filepath.FromSlash(name))
	}
	return plant(t, files), names
}

func TestFolderSurvivesCorruptFiles(t *testing.T) {
	root, names := damaged(t, 10)
	var first map[int64][]float32
	for _, workers := range []int{1, 7} {
		o, log := quiet(4)
		set := openFolder(t, root, Train, o)
		loader, err := NewLoader(set, LoaderOptions{Batch: 32, Seed: 3, Shuffle: true, Workers: workers, Augment: Augment{Resized: ImageNetCrop, Flip: true}})
		require.NoError(t, err)
		images, labels, err := wholeEpoch(t, loader, 0)
		require.NoError(t, err)
		assert.Len(t, images, 1000)
		for i, label := range labels {
			assert.InDelta(t, float32(100+label)/255, images[i][0], 1.5/255, "image and label belong together")
		}
		for _, name := range names {
			assert.Equal(t, 1, strings.Count(log.String(), name), "%s is named once: %s", name, log.String())
		}
		assert.Equal(t, 10, strings.Count(log.String(), "level=WARN"))
		c := CorruptOf(set)
		assert.Equal(t, 10, c.Files)
		assert.Equal(t, 1000, c.Total)
		assert.Len(t, c.Examples, maxExamples)
		assert.Contains(t, c.String(), "10 of 1000 image files could not be read, such as "+filepath.Join(root, "train"))
		// The second epoch warns of nothing more.
		_, _, err = wholeEpoch(t, loader, 1)
		require.NoError(t, err)
		assert.Equal(t, 10, strings.Count(log.String(), "level=WARN"))
		if first == nil {
			first = images
		}
		assert.Equal(t, first, images, "the number of workers changes nothing")

		bad, err := set.Verify(context.Background(), nil)
		require.NoError(t, err)
		require.Len(t, bad, 10)
		for k, b := range bad {
			assert.Equal(t, filepath.Join(root, names[k]), b.Path)
			require.ErrorIs(t, b.Err, ErrFormat)
		}
	}
}

func TestFolderRefusesTooManyCorruptFiles(t *testing.T) {
	root, names := damaged(t, 11)
	o, log := quiet(4)
	set := openFolder(t, root, Train, o)
	loader, err := NewLoader(set, LoaderOptions{Batch: 32, Workers: 3})
	require.NoError(t, err)
	_, _, err = wholeEpoch(t, loader, 0)
	requireOneLine(t, err, ErrFormat, "11 of 1000 image files cannot be read", "data.max_corrupt = 0.01", filepath.Join(root, names[0]))
	assert.Equal(t, 11, strings.Count(log.String(), "level=WARN"))

	o.MaxCorrupt = -1
	set = openFolder(t, root, Train, o)
	_, err = set.Image(50, make([]byte, 48))
	requireOneLine(t, err, ErrFormat, "1 of 1000 image files cannot be read")

	o.MaxCorrupt = 1
	none := openFolder(t, plant(t, map[string][]byte{"train/a/x.png": nil, "train/a/y.png/z.png": {1}, "train/b/x.png": {}}), Train, o)
	_, err = none.Image(0, make([]byte, 48))
	requireOneLine(t, err, ErrFormat, "none of 2 image files")
}

func TestReplacementIsTheNextGoodImage(t *testing.T) {
	files := small(t, 2, 3, 1)
	files["train/class0/image001.png"] = []byte("x")
	files["train/class0/image002.png"] = []byte("x")
	files["train/class1/image002.png"] = []byte("x")
	o, _ := quiet(4)
	o.MaxCorrupt = 0.5
	set := openFolder(t, plant(t, files), Train, o)
	for i, want := range map[int][2]int{1: {3, 1}, 2: {3, 1}, 5: {0, 0}, 4: {4, 1}} {
		dst := make([]byte, 48)
		label, err := set.Image(i, dst)
		require.NoError(t, err)
		assert.Equal(t, want, [2]int{int(dst[0]), label}, "image %d", i)
	}
}

func TestLoaderCropsOnDemand(t *testing.T) {
	files := map[string][]byte{}
	for k := range 12 {
		files[fmt.Sprintf("train/class%d/%02d.jpg", k%2, k)] = jpegOf(t, scene(60+k, 40+2*k, uint64(k)))
	}
	root := plant(t, files)
	set := openFolder(t, root, Train, OpenOptions{Size: 16})
	options := LoaderOptions{Batch: 5, Seed: 9, Shuffle: true, Augment: Augment{Resized: ImageNetCrop, Flip: true}}
	run := func(ds Dataset, o LoaderOptions, epoch int) map[int64][]float32 {
		loader, err := NewLoader(ds, o)
		require.NoError(t, err)
		images, _, err := wholeEpoch(t, loader, epoch)
		require.NoError(t, err)
		return images
	}
	options.Workers = 1
	one := run(set, options, 0)
	options.Workers = 16
	assert.Equal(t, one, run(set, options, 0), "workers")
	next := run(set, options, 1)
	assert.NotEqual(t, one[0], next[0], "another epoch, another crop")
	options.Seed = 10
	assert.NotEqual(t, one[0], run(set, options, 0)[0], "another seed, another crop")
	options.Seed, options.Augment = 9, Augment{}
	centred := run(set, options, 0)
	assert.Equal(t, centred, run(set, options, 1), "the centre crop is always the same")
	assert.NotEqual(t, one[0], centred[0])

	a, b := Halves(set, 4)
	options.Augment = Augment{Resized: ImageNetCrop}
	assert.Len(t, run(a, options, 0), 6, "a subset crops, too")
	taken, err := Take(a, 3, 1)
	require.NoError(t, err)
	assert.Len(t, run(taken, options, 0), 3)
	require.Implements(t, (*Cropper)(nil), b)

	_, err = NewLoader(noise(t, 4, 3, 8, 8), options)
	require.ErrorContains(t, err, "decoded on demand")
	options.Augment.Resized.MinArea = 2
	_, err = NewLoader(set, options)
	require.ErrorContains(t, err, "smallest area of 2")
}

func TestKindsOfPictures(t *testing.T) {
	grey16 := image.NewGray16(image.Rect(0, 0, 9, 8))
	rgba64 := image.NewNRGBA64(image.Rect(0, 0, 9, 8))
	clear := image.NewNRGBA(image.Rect(0, 0, 9, 8))
	palette := image.NewPaletted(image.Rect(0, 0, 9, 8), color.Palette{color.NRGBA{10, 20, 30, 255}, color.NRGBA{1, 2, 3, 0}})
	opaque := image.NewRGBA(image.Rect(0, 0, 9, 8))
	for y := range 8 {
		for x := range 9 {
			grey16.SetGray16(x, y, color.Gray16{0x4c99})
			rgba64.SetNRGBA64(x, y, color.NRGBA64{0x0a99, 0x1499, 0x1e99, 0x8000})
			clear.SetNRGBA(x, y, color.NRGBA{10, 20, 30, 0})
			opaque.SetRGBA(x, y, color.RGBA{10, 20, 30, 255})
		}
	}
	for name, c := range map[string]struct {
		file  []byte
		want  [3]byte
		delta float64
	}{
		"grey PNG":         {pngOf(t, greyOf(9, 8, 76)), [3]byte{76, 76, 76}, 0},
		"grey JPEG":        {jpegOf(t, greyOf(9, 8, 76)), [3]byte{76, 76, 76}, 1},
		"16-bit grey PNG":  {pngOf(t, grey16), [3]byte{0x4c, 0x4c, 0x4c}, 0},
		"16-bit PNG":       {pngOf(t, rgba64), [3]byte{10, 20, 30}, 0},
		"transparent PNG":  {pngOf(t, clear), [3]byte{10, 20, 30}, 0},
		"PNG with palette": {pngOf(t, palette), [3]byte{10, 20, 30}, 0},
		"PNG":              {pngOf(t, opaque), [3]byte{10, 20, 30}, 0},
		"JPEG":             {jpegOf(t, opaque), [3]byte{10, 20, 30}, 2},
		"one pixel":        {pngOf(t, greyOf(1, 1, 76)), [3]byte{76, 76, 76}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDecoder()
			require.NoError(t, s.decode(c.file))
			w, h := s.size()
			for _, n := range []int{1, 5, 20} {
				dst := make([]byte, 3*n*n)
				s.render(centre(w, h, n), n, dst)
				for k, v := range dst {
					require.InDelta(t, c.want[k/(n*n)], v, c.delta, "size %d", n)
				}
			}
		})
	}
}
