package bench

import (
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
)

func TestPictures(t *testing.T) {
	root := t.TempDir()
	for k := range 6 {
		dir := filepath.Join(root, "train", fmt.Sprint(k%2))
		require.NoError(t, os.MkdirAll(dir, 0o755))
		file, err := os.Create(filepath.Join(dir, fmt.Sprint(k)+".jpg"))
		require.NoError(t, err)
		require.NoError(t, jpeg.Encode(file, image.NewRGBA(image.Rect(0, 0, 40, 30)), nil))
		require.NoError(t, file.Close())
	}
	python := FindPillow(context.Background(), "")
	rows, err := Pictures(context.Background(), PicturesOptions{Dir: root, Files: 4, Size: 16, Batch: 2, Repeats: 3, Python: python})
	require.NoError(t, err)
	var ways []string
	for _, r := range rows {
		ways = append(ways, r.Way)
		assert.Equal(t, 4, r.Files)
		assert.Len(t, r.Samples, 3)
		assert.Positive(t, r.Rate)
		assert.Positive(t, r.RatePerCore)
	}
	want := []string{WayGo, WayCrop, WayLoader, WayLoaderAll}
	if python != "" {
		want = append([]string{WayPillow}, want...)
	}
	assert.Equal(t, want, ways)

	_, err = Pictures(context.Background(), PicturesOptions{Dir: t.TempDir(), Files: 4, Size: 16, Batch: 2, Repeats: 1})
	require.ErrorIs(t, err, data.ErrNotFound)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Pictures(ctx, PicturesOptions{Dir: root, Files: 4, Size: 16, Batch: 2, Repeats: 1})
	require.ErrorIs(t, err, context.Canceled)
}
