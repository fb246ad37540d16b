package main

import (
	"encoding/binary"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
)

// side of the synthetic images, that of Fashion-MNIST.
const side = 28

// inWorkFolder changes to a new working folder with a small data set in the form of
// Fashion-MNIST and a configuration tiny.toml for it.
func inWorkFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("images", 0o755))
	writeImages(t, "train", 160, 1)
	writeImages(t, "t10k", 60, 2)
	saveFound(t)
	require.NoError(t, os.WriteFile("tiny.toml", []byte(tiny), 0o644))
}

const tiny = `
[run]
device = "cpu"
precision = "float32"
# Two processes that compute on all cores would wait for each other.
threads = 1
[data]
name = "fashion-mnist"
path = "images"
pad = 2
[network]
nodes = 2
levels = [0, 1, 2]
steps = 2
[search]
epochs = 2
warmup_epochs = 1
batch = 16
width = 2
[train]
genotype = "found.json"
width = 3
epochs = 2
batch = 8
lr = 0.05
auxiliary_weight = 0.0
crop_padding = 2
cutout = 0
`

// saveFound writes a genotype for tiny.toml.
func saveFound(t *testing.T) {
	t.Helper()
	cell, err := genotype.NewCell([][2]int{{0, 1}, {1, 2}, {3, 1}, {4, 0}}) // edges and operations
	require.NoError(t, err)
	g, err := genotype.New("hand-made", cell, nil)
	require.NoError(t, err)
	require.NoError(t, g.Save("found.json"))
}

// idx is the head of a file as MNIST has them.
func idx(magic uint32, sizes ...int) []byte {
	head := binary.BigEndian.AppendUint32(nil, magic)
	for _, size := range sizes {
		head = binary.BigEndian.AppendUint32(head, uint32(size))
	}
	return head
}

// writeImages writes images of ten classes that can be told apart: a bright block at
// a place of the class's own, on noise.
func writeImages(t *testing.T, split string, n int, seed int64) {
	t.Helper()
	rng := rand.New(rand.NewSource(seed))
	images, labels := idx(2051, n, side, side), idx(2049, n)
	for i := range n {
		label := i % 10
		labels = append(labels, byte(label))
		for k := range side * side {
			v := byte(rng.Intn(60))
			if k/side/6 == label/4 && k%side/7 == label%4 {
				v += 180
			}
			images = append(images, v)
		}
	}
	path := filepath.Join("images", split)
	require.NoError(t, os.WriteFile(path+"-images-idx3-ubyte", images, 0o644))
	require.NoError(t, os.WriteFile(path+"-labels-idx1-ubyte", labels, 0o644))
}

// trained makes a short training in the folder dir.
func trained(t *testing.T, dir string, more ...string) {
	t.Helper()
	done(t, append([]string{"train", "--config", "tiny.toml", "--out", dir, "--set", "train.epochs=1"}, more...)...)
}

// realData is the folder of published data sets on this machine.
func realData(t *testing.T, file string) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("SPIKEDHS_DATA"), filepath.Join("..", "..", "..", "shared", "data")} {
		if dir == "" {
			continue
		}
		dir, err := filepath.Abs(dir)
		require.NoError(t, err)
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return dir
		}
	}
	t.Skipf("%s is not on this machine; set SPIKEDHS_DATA to its folder", file)
	return ""
}
