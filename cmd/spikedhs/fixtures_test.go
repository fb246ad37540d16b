package main

import (
	"encoding/binary"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// side of the synthetic images, that of Fashion-MNIST.
const side = 28

// inWorkFolder changes to a new working folder with a small data set in the form of
// Fashion-MNIST and a configuration tiny.toml for it.
func inWorkFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("images", 0o755))
	writeIDX(t, "train", 160, 1)
	writeIDX(t, "t10k", 60, 2)
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

// found is a genotype for tiny.toml.
const found = `{
  "format": "spikedhs-genotype",
  "version": 1,
  "name": "hand-made",
  "downsample": "nearest",
  "ops": ["skip_connect", "snn_b3", "snn_b5"],
  "normal": {
    "nodes": 2,
    "edges": [
      {"node": 0, "edge": 0, "from": "s0", "op": "snn_b3"},
      {"node": 0, "edge": 1, "from": "s1", "op": "snn_b5"},
      {"node": 1, "edge": 3, "from": "s1", "op": "snn_b3"},
      {"node": 1, "edge": 4, "from": "n0", "op": "skip_connect"}
    ]
  }
}
`

// writeIDX writes images of ten classes that can be told apart: a bright block at
// a place of the class's own, on noise.
func writeIDX(t *testing.T, split string, n int, seed int64) {
	t.Helper()
	rng := rand.New(rand.NewSource(seed))
	images := binary.BigEndian.AppendUint32(nil, 2051)
	for _, size := range []int{n, side, side} {
		images = binary.BigEndian.AppendUint32(images, uint32(size))
	}
	labels := binary.BigEndian.AppendUint32(nil, 2049)
	labels = binary.BigEndian.AppendUint32(labels, uint32(n))
	for i := range n {
		label := i % 10
		labels = append(labels, byte(label))
		for y := range side {
			for x := range side {
				v := byte(rng.Intn(60))
				if y/6 == label/4 && x/7 == label%4 {
					v += 180
				}
				images = append(images, v)
			}
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join("images", split+"-images-idx3-ubyte"), images, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join("images", split+"-labels-idx1-ubyte"), labels, 0o644))
	require.NoError(t, os.WriteFile("found.json", []byte(found), 0o644))
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
