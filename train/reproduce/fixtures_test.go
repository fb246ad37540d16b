package reproduce

import (
	"encoding/binary"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/live"
)

// images writes a small data set in the form of Fashion-MNIST: ten classes that a
// glance tells apart. It returns its folder.
func images(t *testing.T) string {
	t.Helper()
	const side = 28
	dir := t.TempDir()
	for split, n := range map[string]int{"train": 120, "t10k": 60} {
		rng := rand.New(rand.NewSource(int64(n)))
		pixels := binary.BigEndian.AppendUint32(nil, 2051)
		for _, size := range []int{n, side, side} {
			pixels = binary.BigEndian.AppendUint32(pixels, uint32(size))
		}
		labels := binary.BigEndian.AppendUint32(nil, 2049)
		labels = binary.BigEndian.AppendUint32(labels, uint32(n))
		for i := range n {
			label := i % 10
			labels = append(labels, byte(label))
			for k := range side * side {
				v := byte(rng.Intn(60))
				if k/side/6 == label/4 && k%side/7 == label%4 {
					v += 180
				}
				pixels = append(pixels, v)
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, split+"-images-idx3-ubyte"), pixels, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, split+"-labels-idx1-ubyte"), labels, 0o644))
	}
	return dir
}

// tiny are options whose runs take a second: the smoke scale on those images.
func tiny(t *testing.T, experiment string) Options {
	t.Helper()
	live.Same(t, torch.LiveTensors)
	return Options{
		Experiment: experiment, Scale: "smoke", Out: t.TempDir(), Version: "test", Command: []string{"go", "test"},
		Set: []string{
			"data.path=" + images(t), "data.train_images=100", "data.test_images=50", "train.batch=20", "train.epochs=2",
			"network.levels=[1, 2]", "run.device=cpu", "run.precision=float32",
			"search.images=40", "search.batch=20", "search.epochs=2",
		},
	}
}
