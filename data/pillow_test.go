package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// pillow is a Python that has Pillow.
func pillow(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		if name != "" && exec.Command(name, "-c", "import PIL").Run() == nil {
			return name
		}
	}
	t.Skip("no Python with Pillow; install it (Debian: python3-pil) or name one with PYTHON")
	return ""
}

// asked is a crop that both sides make.
type asked struct {
	file string
	w    window
	size int
	// mean and most are the largest allowed mean and single difference in levels.
	mean, most float64
}

// comparePillow makes the crops on both sides.
func comparePillow(t *testing.T, crops []asked) (mean float64) {
	t.Helper()
	python := pillow(t)
	var lines bytes.Buffer
	for _, a := range crops {
		whole := 1
		if a.w == part(a.w.left, a.w.top, a.w.right-a.w.left, a.w.foot-a.w.top) {
			whole = 0
		}
		fmt.Fprintln(&lines, a.file, a.w.x0, a.w.y0, a.w.x1, a.w.y1, whole, a.size)
	}
	command := exec.Command(python, filepath.Join("testdata", "pil_crops.py"))
	command.Stdin = &lines
	var problem bytes.Buffer
	command.Stderr = &problem
	theirs, err := command.Output()
	require.NoError(t, err, problem.String())
	d := newDecoder()
	var worst, total float64
	for _, a := range crops {
		n := 3 * a.size * a.size
		ours := make([]byte, n)
		require.NoError(t, d.open(a.file))
		d.render(a.w, a.size, ours)
		require.GreaterOrEqual(t, len(theirs), n)
		var sum, most float64
		for i, v := range ours {
			d := math.Abs(float64(v) - float64(theirs[i]))
			sum, most = sum+d, max(most, d)
		}
		theirs = theirs[n:]
		mean := sum / float64(n)
		require.LessOrEqual(t, mean, a.mean, "%s: mean difference of %+v", a.file, a.w)
		require.LessOrEqual(t, most, a.most, "%s: largest difference of %+v", a.file, a.w)
		worst, total = max(worst, most), total+mean/float64(len(crops))
	}
	t.Logf("%d crops: mean difference %.3f levels, largest %v", len(crops), total, worst)
	return total
}

// What stands in the way of equality: Pillow rounds to 8 bits between rows and
// columns (0.5 levels), and spreads the chroma of JPEG to all pixels before it resizes.
func TestCropsEqualPillow(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o644))
		return path
	}
	picture := scene(150, 113, 3)
	grey := image.NewGray(picture.Rect)
	for i := range grey.Pix {
		grey.Pix[i] = picture.Pix[4*i]
	}
	files := map[string][2]float64{
		save("exact.png", pngOf(t, picture)):   {0.3, 1.01},
		save("grey.jpg", jpegOf(t, grey)):      {0.4, 2}, // decoders differ by a level
		save("colour.jpg", jpegOf(t, picture)): {0.7, 8},
	}
	var crops []asked
	var rng rand.PCG
	rng.Seed(4, 4)
	for _, name := range []string{"exact.png", "grey.jpg", "colour.jpg"} {
		file := filepath.Join(dir, name)
		limit := files[file]
		for _, size := range []int{32, 64, 224} {
			crops = append(crops, asked{file, centre(150, 113, size), size, limit[0], limit[1]})
			for range 3 {
				crops = append(crops, asked{file, ImageNetCrop.draw(150, 113, &rng), size, limit[0], limit[1]})
			}
		}
	}
	comparePillow(t, crops)
}

// tinyImageNet unpacks the real photographs and returns their folder.
func tinyImageNet(t testing.TB) string {
	t.Helper()
	const name = "tiny-imagenet-20x5.tar.gz"
	var archive *os.File
	for _, dir := range []string{os.Getenv("SPIKEDHS_SHARED_DATA"), filepath.Join("..", "..", "shared", "data")} {
		if file, err := os.Open(filepath.Join(dir, name)); dir != "" && err == nil {
			archive = file
			break
		}
	}
	if archive == nil {
		t.Skipf("%s is not on this machine; set SPIKEDHS_SHARED_DATA to its folder", name)
	}
	defer archive.Close()
	unzipped, err := gzip.NewReader(archive)
	require.NoError(t, err)
	root := t.TempDir()
	members := tar.NewReader(unzipped)
	for {
		header, err := members.Next()
		if err == io.EOF {
			return filepath.Join(root, "tiny-imagenet-20x5")
		}
		require.NoError(t, err)
		path := filepath.Join(root, filepath.FromSlash(header.Name))
		require.True(t, filepath.IsLocal(header.Name))
		if header.Typeflag != tar.TypeReg {
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		content, err := io.ReadAll(members)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, content, 0o644))
	}
}

func TestRealPhotographs(t *testing.T) {
	root := tinyImageNet(t)
	o, log := quiet(64)
	train, test := openFolder(t, root, Train, o), openFolder(t, root, Test, o)
	require.Equal(t, []int{4000, 1000}, []int{train.Len(), test.Len()})
	require.Len(t, train.Classes(), 200)
	require.Equal(t, train.Classes(), test.Classes())
	images := make([]int, 200)
	for i := range train.Len() {
		images[train.index.files[i].label]++
	}
	for _, n := range images {
		require.Equal(t, 20, n)
	}
	for _, set := range []*ImageFolder{train, test} {
		bad, err := set.Verify(context.Background(), nil)
		require.NoError(t, err)
		require.Empty(t, bad)
	}
	loader, err := NewLoader(train, LoaderOptions{Batch: 100, Seed: 1, Shuffle: true, Augment: Augment{Resized: ImageNetCrop, Flip: true}})
	require.NoError(t, err)
	pixels, labels, err := wholeEpoch(t, loader, 0)
	require.NoError(t, err)
	require.Len(t, pixels, 4000)
	for i, label := range labels {
		require.EqualValues(t, train.index.files[int(i)].label, label)
	}
	require.Empty(t, log.String())

	var rng rand.PCG
	rng.Seed(8, 8)
	var crops []asked
	for i := 0; i < train.Len(); i += 40 {
		crops = append(crops,
			asked{train.Path(i), centre(64, 64, 56), 56, 2.5, 60},
			asked{train.Path(i), ImageNetCrop.draw(64, 64, &rng), 64, 2.5, 60})
	}
	require.Less(t, comparePillow(t, crops), 0.6, "levels of all crops in the mean")
}
