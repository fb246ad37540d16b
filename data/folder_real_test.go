package data

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	assert.Equal(t, []int{4000, 1000}, []int{train.Len(), test.Len()})
	assert.Len(t, train.Classes(), 200)
	assert.Equal(t, train.Classes(), test.Classes())
	images := make([]int, 200)
	for i := range train.Len() {
		images[train.Label(i)]++
	}
	for _, n := range images {
		require.Equal(t, 20, n)
	}
	for _, set := range []*ImageFolder{train, test} {
		bad, err := set.Verify(context.Background(), nil)
		require.NoError(t, err)
		assert.Empty(t, bad)
	}
	loader, err := NewLoader(train, LoaderOptions{Batch: 100, Seed: 1, Shuffle: true, Augment: Augment{Resized: ImageNetCrop, Flip: true}})
	require.NoError(t, err)
	pixels, labels, err := wholeEpoch(t, loader, 0)
	require.NoError(t, err)
	assert.Len(t, pixels, 4000)
	for i, label := range labels {
		require.EqualValues(t, train.Label(int(i)), label)
	}
	assert.Empty(t, log.String())

	var rng rand.PCG
	rng.Seed(8, 8)
	var crops []asked
	for i := 0; i < train.Len(); i += 40 {
		crops = append(crops,
			asked{train.Path(i), centre(64, 64, 56), 56, 2.5, 60},
			asked{train.Path(i), ImageNetCrop.draw(64, 64, &rng), 64, 2.5, 60})
	}
	assert.Less(t, comparePillow(t, crops), 0.6, "levels of all crops in the mean")
}
