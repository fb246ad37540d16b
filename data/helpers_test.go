package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noise is a set of n images of random pixels with labels 0..9.
func noise(t testing.TB, n, c, h, w int) *Memory {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	pixels, labels := make([]byte, n*c*h*w), make([]int, n)
	for i := range pixels {
		pixels[i] = byte(rng.Uint32())
	}
	for i := range labels {
		labels[i] = i % 10
	}
	set, err := NewMemory("noise", digitClasses, c, h, w, pixels, labels)
	require.NoError(t, err)
	return set
}

// numbered is a set of n images of one pixel whose value and label are the index.
func numbered(t testing.TB, n int) *Memory {
	t.Helper()
	pixels, labels, classes := make([]byte, n), make([]int, n), make([]string, n)
	for i := range n {
		pixels[i], labels[i] = byte(i), i
	}
	set, err := NewMemory("numbered", classes, 1, 1, 1, pixels, labels)
	require.NoError(t, err)
	return set
}

// idxFile encodes an IDX file of bytes.
func idxFile(values []byte, sizes ...uint32) []byte {
	out := []byte{0, 0, 8, byte(len(sizes))}
	for _, s := range sizes {
		out = binary.BigEndian.AppendUint32(out, s)
	}
	return append(out, values...)
}

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// member is one file of a test archive or folder.
type member struct {
	name    string
	content []byte
}

func tarball(t testing.TB, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.content))}))
		_, err := w.Write(m.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return gzipped(t, buf.Bytes())
}

// folder writes files into a new folder and returns it.
func folder(t testing.TB, files ...member) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name := filepath.Join(dir, f.name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, f.content, 0o644))
	}
	return dir
}

// sharedFile is a file of the folder of real data, or the reason to skip.
func sharedFile(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("SPIKEDHS_DATA"), filepath.Join("..", "..", "shared", "data")} {
		if path := filepath.Join(dir, name); dir != "" && isFile(path) {
			return path
		}
	}
	t.Skipf("%s is neither in $SPIKEDHS_DATA nor in ../../shared/data", name)
	return ""
}

// requireOneLine checks the shape that every error of this package has.
func requireOneLine(t testing.TB, err, sentinel error, parts ...string) {
	t.Helper()
	require.ErrorIs(t, err, sentinel)
	assert.NotContains(t, err.Error(), "\n")
	for _, part := range parts {
		assert.ErrorContains(t, err, part)
	}
}

// readAll collects the pixels and labels of a set.
func readAll(t testing.TB, set Dataset) (pixels []byte, labels []int) {
	t.Helper()
	c, h, w := set.Shape()
	one := make([]byte, c*h*w)
	for i := range set.Len() {
		label, err := set.Image(i, one)
		require.NoError(t, err)
		pixels, labels = append(pixels, one...), append(labels, label)
	}
	return pixels, labels
}

// scene is a picture of gradients with some noise, so that both blur and shifts show.
func scene(w, h int, seed uint64) *image.RGBA {
	rng := rand.New(rand.NewPCG(seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			wave := 60 * math.Sin(float64(x)/7+float64(seed)) * math.Cos(float64(y)/11)
			level := func(base float64) uint8 {
				return uint8(max(0, min(255, base+wave+20*rng.Float64())))
			}
			img.SetRGBA(x, y, color.RGBA{
				level(200 * float64(x) / float64(w)), level(200 * float64(y) / float64(h)), level(100), 255,
			})
		}
	}
	return img
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}))
	return b.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// greyOf is one grey level of w by h pixels.
func greyOf(w, h int, level uint8) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = level
	}
	return img
}

// withOrientation puts an EXIF segment behind the first marker of a JPEG file.
func withOrientation(file []byte, tag int, order binary.AppendByteOrder) []byte {
	exif := []byte("Exif\x00\x00II*\x00")
	if order.String() == "BigEndian" {
		exif = []byte("Exif\x00\x00MM\x00*")
	}
	exif = order.AppendUint32(exif, 8)
	exif = order.AppendUint16(exif, 2)
	for _, entry := range [][2]int{{0x0100, 640}, {0x0112, tag}} {
		exif = order.AppendUint16(exif, uint16(entry[0]))
		exif = order.AppendUint16(exif, 3)
		exif = order.AppendUint32(exif, 1)
		exif = order.AppendUint16(exif, uint16(entry[1]))
		exif = order.AppendUint16(exif, 0)
	}
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return append(append(append([]byte{}, file[:2]...), append(segment, exif...)...), file[2:]...)
}

// plant writes files below a new folder.
func plant(t testing.TB, files map[string][]byte) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if content != nil {
			require.NoError(t, os.WriteFile(path, content, 0o644))
		} else {
			require.NoError(t, os.MkdirAll(path, 0o755))
		}
	}
	return root
}

// small is a folder of n training and m test images a class, each of one grey level
// that tells which it is.
func small(t testing.TB, classes, n, m int) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for c := range classes {
		for k := range max(n, m) {
			img := pngOf(t, greyOf(12, 9, uint8(c*n+k)))
			if k < n {
				files[fmt.Sprintf("train/class%d/image%03d.png", c, k)] = img
			}
			if k < m {
				files[fmt.Sprintf("val/class%d/image%03d.png", c, k)] = img
			}
		}
	}
	return files
}

// quiet options log to a buffer.
func quiet(size int) (OpenOptions, *bytes.Buffer) {
	log := &bytes.Buffer{}
	return OpenOptions{Size: size, Log: slog.New(slog.NewTextHandler(log, nil))}, log
}

func openFolder(t testing.TB, root string, split Split, o OpenOptions) *ImageFolder {
	t.Helper()
	set, err := OpenWith(context.Background(), "image-folder", root, split, o)
	require.NoError(t, err)
	return set.(*ImageFolder)
}

// wholeEpoch runs one epoch and returns what each image of the set became.
func wholeEpoch(t testing.TB, loader *Loader, epoch int) (images map[int64][]float32, labels map[int64]int64, err error) {
	t.Helper()
	images, labels = map[int64][]float32{}, map[int64]int64{}
	batches := loader.Epoch(context.Background(), epoch, 0)
	defer batches.Close()
	for {
		b, err := batches.Next()
		if err == io.EOF {
			return images, labels, nil
		}
		if err != nil {
			return images, labels, err
		}
		size := b.C * b.H * b.W
		for k, i := range b.Indices {
			images[i] = append([]float32{}, b.Inputs[0][k*size:(k+1)*size]...)
			labels[i] = b.Labels[k]
		}
		b.Release()
	}
}

// statistics are the mean and standard deviation of pixels on the scale 0..1.
func statistics(pixels []byte) (mean, std float64) {
	var sum, squares float64
	for _, p := range pixels {
		v := float64(p) / 255
		sum += v
		squares += v * v
	}
	mean = sum / float64(len(pixels))
	return mean, math.Sqrt(squares/float64(len(pixels)) - mean*mean)
}
