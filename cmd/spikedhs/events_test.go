package main

import (
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The whole way of recordings: made, looked at, trained on, exported, named.
func TestEvents(t *testing.T) {
	inWorkFolder(t)
	v := object(t, done(t, "data", "saccade", "--dataset", "fashion-mnist", "--dir", "images", "--out", "rec",
		"--train", "40", "--test", "20", "--threshold", "0.8", "--json"))
	require.EqualValues(t, 40, v["train"])
	require.Equal(t, []any{34.0, 34.0}, v["sensor"])
	sensor := "data.sensor=[34, 34]"

	found, err := filepath.Glob("rec/Test/*/*.bin")
	require.NoError(t, err)
	require.Len(t, found, 20)
	t.Run("preview", func(t *testing.T) {
		r := done(t, "data", "preview", found[0], "--dataset", "n-mnist", "--steps", "3")
		require.Contains(t, r.stdout, "34 x 34 pixels")
		f, err := os.Open("00001.png")
		if err != nil { // named after the recording
			name := filepath.Base(found[0])
			f, err = os.Open(name[:len(name)-4] + ".png")
		}
		require.NoError(t, err)
		defer f.Close()
		m, err := png.Decode(f)
		require.NoError(t, err)
		require.Equal(t, 3*(34*4+2)-2, m.Bounds().Dx())
		done(t, "data", "preview", found[0], "--out", "p.gif", "--stack", "ternary", "--slicing", "count", "--steps", "5", "--sensor", "34x34")
		g, err := os.Open("p.gif")
		require.NoError(t, err)
		defer g.Close()
		all, err := gif.DecodeAll(g)
		require.NoError(t, err)
		require.Len(t, all.Image, 5)
		refused(t, []string{"data", "preview", found[0], "--out", "p.jpg"}, ".png or .gif")
		refused(t, []string{"data", "preview", "tiny.toml"}, "tiny.toml", "are not known")
		refused(t, []string{"data", "preview", "none.bin"}, "none.bin")
		refused(t, []string{"data", "preview"}, "name one recording")
	})
	t.Run("info", func(t *testing.T) {
		r := done(t, "data", "info", "n-mnist", "--dir", "rec")
		require.Contains(t, r.stdout, "40 training and 20 test recordings of 34 x 34 pixels")
		refused(t, []string{"data", "fetch", "cifar10-dvs"}, "by hand", "figshare.com")
		refused(t, []string{"data", "saccade", "--dataset", "fashion-mnist", "--dir", "images", "--out", "rec"}, "rec/Train exists")
		refused(t, []string{"data", "saccade", "--dataset", "fashion-mnist"}, "--out is missing")
	})
	t.Run("train, export, infer", func(t *testing.T) {
		trained(t, "run", "--set", "data.name=event-folder", "--set", "data.path=rec", "--set", sensor, "--set", "data.size=32", "--set", "data.pad=0")
		r := done(t, "export", "--run", "run", "--check", "--check-images", "20")
		require.Contains(t, r.stdout, "stacks [N, T=2, C, H, W] of events")
		model := filepath.Join("run", "model.pt")
		require.InDeltaSlice(t,
			guesses(t, "--model", model, "--dataset", "event-folder", "--dir", "rec", "--index", "0"),
			guesses(t, "--model", model, found[0]), 1e-6)
		require.Contains(t, done(t, "eval", "--run", "run").stdout, "images      20")
		refused(t, []string{"infer", "--model", model, "tiny.toml"}, "are not known")
		refused(t, []string{"infer", "--model", model, "--invert", found[0]}, "--invert is for images")
		refused(t, []string{"infer", "--model", model, "--dataset", "fashion-mnist", "--dir", "images", "--index", "0"}, "takes recordings of events")
		refused(t, []string{"train", "--config", "tiny.toml", "--out", "x", "--set", "data.name=event-folder", "--set", "data.path=rec"}, "data.sensor = [width, height]")
	})
}
