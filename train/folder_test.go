package train

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/config"
)

// inFolders writes the pictures of a bench as PNG files in class folders, three times
// as large, and some that are no pictures, and makes them the bench's data.
func (b *bench) inFolders(t *testing.T) {
	t.Helper()
	for split, list := range map[string][]picture{"train": trainPictures(), "val": testPictures()} {
		for k, p := range list {
			img := image.NewGray(image.Rect(0, 0, 3*side, 3*side))
			for i := range img.Pix {
				img.Pix[i] = p.pixels[i/img.Stride/3*side+i%img.Stride/3]
			}
			var file bytes.Buffer
			require.NoError(t, png.Encode(&file, img))
			if k == 33 {
				file.Truncate(50)
			}
			dir := filepath.Join(b.dir, "folders", split, fmt.Sprintf("class%d", p.label))
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.png", k)), file.Bytes(), 0o644))
		}
	}
	d := &b.config.Data
	d.Name, d.Path, d.Size, d.MaxCorrupt = "image-folder", b.path("folders"), 10, 0.05
}

// Search, training, evaluation and resuming work on files as on images in memory.
func TestImageFolder(t *testing.T) {
	b := newBench(t)
	b.inFolders(t)
	var log bytes.Buffer
	j := b.job("one", busy, func(c *config.Config) { c.Data.Workers = 1 })
	j.Log = slog.New(slog.NewTextHandler(&log, nil))
	result := mustTrain(t, j)
	assert.Contains(t, log.String(), filepath.Join("train", "class3", "033.png"))
	assert.Contains(t, log.String(), "split=train unreadable=1 files=200")
	assert.Contains(t, log.String(), "split=test unreadable=1 files=60")
	assert.Equal(t, testCount, classOf(result.Evaluation).Images)

	stopped := b.job("two", busy, func(c *config.Config) { c.Data.Workers, c.Data.Prefetch = 5, 1 })
	stopped.MaxSteps = 13
	mustTrain(t, stopped)
	mustTrain(t, b.resume("two"))
	b.remains(t, "one").require(t, b.remains(t, "two"))

	trained := mustOpen(t, b.path("one"))
	e, err := classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)
	assert.Equal(t, classOf(result.Evaluation).Top1, e.Top1)

	mustSearch(t, b.job("search"))
}

func TestImageFolderMistakes(t *testing.T) {
	b := newBench(t)
	b.inFolders(t)
	_, err := Train(context.Background(), b.job("strict", func(c *config.Config) { c.Data.MaxCorrupt = 0 }))
	require.ErrorIs(t, err, data.ErrFormat)
	assert.ErrorContains(t, err, "033.png")
	_, err = Train(context.Background(), b.job("resident", func(c *config.Config) { c.Data.Resident = "on" }))
	require.ErrorIs(t, err, config.ErrInvalid)
	_, err = Train(context.Background(), b.job("grey", func(c *config.Config) { c.Data.Mean, c.Data.Std = []float64{0.5}, []float64{0.5} }))
	require.ErrorContains(t, err, "1 means and 1 standard deviations for 3 channels")
}
