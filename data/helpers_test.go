package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
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
