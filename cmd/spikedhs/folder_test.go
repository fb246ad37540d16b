package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// imageFolder writes class folders of small PNG files into the folder photos, one of
// them damaged.
func imageFolder(t *testing.T) {
	t.Helper()
	for _, split := range []string{"train", "val"} {
		for k := range 24 {
			img := image.NewRGBA(image.Rect(0, 0, 12, 10))
			for i := range 120 {
				img.SetRGBA(i%12, i/12, color.RGBA{uint8(80 * (k % 3)), uint8(2 * i), 60, 255})
			}
			var file bytes.Buffer
			require.NoError(t, png.Encode(&file, img))
			if split == "train" && k == 7 {
				file.Truncate(60)
			}
			dir := filepath.Join("photos", split, fmt.Sprintf("kind%d", k%3))
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.png", k)), file.Bytes(), 0o644))
		}
	}
}

func TestImageFolder(t *testing.T) {
	inWorkFolder(t)
	imageFolder(t)
	r := done(t, "data", "info", "image-folder", "--dir", "photos", "--size", "16", "--verify", "--sheet", "sheet.png")
	for _, text := range []string{
		"24 training and 24 test images of 3 x 16 x 16, 3 classes: kind0, kind1, kind2",
		"48 files decoded, 1 of them cannot be read", filepath.Join("photos", "train", "kind1", "07.png") + ": bad data format", "sheet.png",
	} {
		require.Contains(t, r.stdout, text)
	}
	file, err := os.Open("sheet.png")
	require.NoError(t, err)
	defer file.Close()
	sheet, err := png.DecodeConfig(file)
	require.NoError(t, err)
	require.Equal(t, [2]int{8*20 - 4, 3*20 - 4}, [2]int{sheet.Width, sheet.Height})

	v := object(t, done(t, "data", "info", "image-folder", "--dir", "photos", "--verify", "--json"))
	require.Len(t, v["corrupt"], 1)
	refused(t, []string{"data", "info", "--verify"}, "want the name of a data set")
	refused(t, []string{"data", "info", "fashion-mnist", "--dir", "images", "--verify"}, "has no image files")
	refused(t, []string{"data", "info", "imagenet", "--dir", "nowhere"}, "nowhere", "image-net.org")
	refused(t, []string{"data", "fetch", "imagenet"}, "image-net.org")

	train := []string{"train", "--config", "tiny.toml", "--set", "train.epochs=1", "--set", "data.pad=0", "--set", "data.name=image-folder",
		"--set", "data.path=photos", "--set", "data.size=16", "--out", "run"}
	strict := spikedhs(t, train...)
	require.Equal(t, exitUsage, strict.code)
	require.Contains(t, strict.stderr, "data.max_corrupt = 0.01 allows, such as "+filepath.Join("photos", "train", "kind1", "07.png"))
	require.NoError(t, os.RemoveAll("run"))
	trained := done(t, append(train, "--set", "data.max_corrupt=0.05")...)
	require.Contains(t, trained.stderr, filepath.Join("photos", "train", "kind1", "07.png"))
	done(t, "export", "--run", "run", "--check")
	require.Contains(t, done(t, "infer", "--model", "run/model.pt", "--dataset", "image-folder", "--dir", "photos", "--index", "0-3").stdout, "kind0")

	rows := done(t, "bench", "loader", "--dir", "photos", "--size", "16", "--files", "6", "--batch", "2", "--repeats", "1")
	require.Contains(t, rows.stdout, "loader, all cores")
}
