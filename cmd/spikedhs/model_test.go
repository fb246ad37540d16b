package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
	"github.com/spikedhs/spikedhs/train/run"
)

func TestEvaluate(t *testing.T) {
	inWorkFolder(t)
	trained(t, "run")
	v := object(t, done(t, "eval", "--run", "run", "--json"))
	for _, key := range []string{"top1", "top5", "loss", "images", "parameters", "confusion", "classes"} {
		require.Contains(t, v, key)
	}
	require.EqualValues(t, 60, v["images"])
	require.LessOrEqual(t, number(t, v, "top1"), number(t, v, "top5"))
	require.Len(t, v["classes"], 10)

	r := done(t, "eval", "--run", "run", "--device", "cpu")
	require.Regexp(t, `top-1 +[0-9.]+ %\n`, r.stdout)
	require.Regexp(t, `Ankle boot +6 +[0-9.]+ %\n`, r.stdout)
	require.Contains(t, r.stderr, "evaluate: 60 images")
}

func TestExportAndInfer(t *testing.T) {
	inWorkFolder(t)
	trained(t, "run")
	v := object(t, done(t, "export", "--run", "run", "--check", "--check-images", "50", "--json"))
	check, ok := v["check"].(map[string]any)
	require.True(t, ok)
	require.EqualValues(t, 50, check["images"])
	require.EqualValues(t, 50, check["same_class"])
	require.LessOrEqual(t, number(t, check, "max_difference"), 1e-4)
	model := filepath.Join("run", "model.pt")
	require.FileExists(t, model)
	require.Equal(t, number(t, object(t, done(t, "eval", "--run", "run", "--json")), "top1"), number(t, v, "top1"))

	done(t, "export", "--run", "run", "--out", "other.pt")
	require.FileExists(t, "other.pt")

	t.Run("test images", func(t *testing.T) {
		r := object(t, done(t, "infer", "--model", model, "--dataset", "fashion-mnist", "--dir", "images", "--index", "0,3-5", "--json"))
		images := r["images"].([]any)
		require.Len(t, images, 4)
		first := images[0].(map[string]any)
		require.Equal(t, "T-shirt/top", first["label"])
		require.Len(t, first["guesses"], 3)
		require.Contains(t, done(t, "infer", "--model", model, "--dataset", "fashion-mnist", "--dir", "images", "--index", "1").stdout,
			"(it is Trouser)")
	})
	t.Run("pictures", func(t *testing.T) {
		set, err := data.Open(context.Background(), "fashion-mnist", "images", data.Test)
		require.NoError(t, err)
		pixels := make([]byte, side*side)
		_, err = set.Image(7, pixels)
		require.NoError(t, err)
		writePNG(t, "seven.png", side, func(x, y int) byte { return pixels[y*side+x] })
		writePNG(t, "inverse.png", side, func(x, y int) byte { return 255 - pixels[y*side+x] })
		writePNG(t, "large.png", 3*side, func(x, y int) byte { return pixels[y/3*side+x/3] })
		want := guesses(t, "--model", model, "--dataset", "fashion-mnist", "--dir", "images", "--index", "7")
		require.InDeltaSlice(t, want, guesses(t, "--model", model, "seven.png"), 1e-6)
		require.InDeltaSlice(t, want, guesses(t, "inverse.png", "--invert", "--model", model), 1e-5)
		r := done(t, "infer", "--model", model, "seven.png", "large.png")
		require.Contains(t, r.stdout, "[resized from 84x84 to 28x28]")
		refused(t, []string{"infer", "--model", model, "tiny.toml"}, "tiny.toml", "PNG, JPEG or GIF")
		refused(t, []string{"infer", "--model", model, "nowhere.png"}, "nowhere.png")
	})
	t.Run("wrong use", func(t *testing.T) {
		refused(t, []string{"infer", "--model", model}, "images or --dataset and --index")
		refused(t, []string{"infer", "--model", model, "--index", "3"}, "images or --dataset and --index")
		fashion := []string{"infer", "--model", model, "--dataset", "fashion-mnist", "--dir", "images", "--index"}
		refused(t, append(fashion, "60"), "--index 60", "60 test images")
		refused(t, append(fashion, "5-3"), "--index 5-3")
		refused(t, append(fashion, "x"), "--index x")
		refused(t, []string{"infer", "--model", "tiny.toml", "x.png"}, "not a model exported by spikedhs")
		refused(t, []string{"eval", "--run", "run", "--checkpoint", model}, model, "unusable checkpoint")
	})
}

// guesses are the probabilities of one image as infer prints them.
func guesses(t *testing.T, args ...string) []float64 {
	t.Helper()
	var v struct {
		Images []struct {
			Guesses []struct{ Probability float64 }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(done(t, append([]string{"infer", "--json"}, args...)...).stdout), &v))
	require.Len(t, v.Images, 1)
	var list []float64
	for _, g := range v.Images[0].Guesses {
		list = append(list, g.Probability)
	}
	return list
}

func writePNG(t *testing.T, path string, size int, value func(x, y int) byte) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			m.SetGray(x, y, color.Gray{Y: value(x, y)})
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
}

// TestPython loads an exported model in Python and compares its logits with those
// of Go, on real images.
func TestPython(t *testing.T) {
	python := pytorch.Interpreter(t)
	real, err := data.Open(context.Background(), "fashion-mnist", "", data.Test)
	if err != nil {
		t.Skipf("no real images: %v", err)
	}
	inWorkFolder(t)
	trained(t, "run")
	done(t, "export", "--run", "run")
	model := filepath.Join("run", "model.pt")

	const n = 32
	var pixels []float32
	image := make([]byte, side*side)
	for i := range n {
		_, err := real.Image(i, image)
		require.NoError(t, err)
		for _, v := range image {
			pixels = append(pixels, float32(v)/255)
		}
	}
	var raw bytes.Buffer
	require.NoError(t, binary.Write(&raw, binary.LittleEndian, pixels))
	require.NoError(t, os.WriteFile("images.f32", raw.Bytes(), 0o644))

	c := exec.Command(python, "-c", `
import array, json, sys, torch
values = array.array("f", open("images.f32", "rb").read())
images = torch.tensor(values.tolist()).reshape(-1, 1, 28, 28)
extra = {"spikedhs.json": ""}
model = torch.jit.load(sys.argv[1], _extra_files=extra)
info = json.loads(extra["spikedhs.json"])
with torch.no_grad():
    print(json.dumps({"logits": model(images).flatten().tolist(), "classes": info["classes"]}))
`, model)
	c.Stderr = os.Stderr
	out, err := c.Output()
	require.NoError(t, err)
	var have struct {
		Logits  []float64
		Classes []string
	}
	require.NoError(t, json.Unmarshal(out, &have))
	require.Equal(t, real.Classes(), have.Classes)

	s := torch.NewInference()
	defer s.Close()
	script, err := torch.LoadScript(model, torch.CPU())
	require.NoError(t, err)
	defer script.Close()
	logits, err := torch.ToSlice[float32](script.Forward(s, torch.FromSlice(s, pixels, n, 1, side, side)))
	require.NoError(t, err)
	require.Len(t, have.Logits, len(logits))
	for i := range logits {
		require.InDelta(t, logits[i], have.Logits[i], 1e-4, "logit %d", i)
	}
}

// Layers are searched, and the path that was found is shown, drawn, counted, trained,
// evaluated and exported.
func TestLayerSearchFromEndToEnd(t *testing.T) {
	inWorkFolder(t)
	layers := []string{"--config", "tiny.toml", "--set", "search.layer_search=true", "--set", "network.downsample=nearest"}
	r := done(t, append([]string{"search", "--out", "found", "-v"}, layers...)...)
	require.Regexp(t, `entropy of beta [01]\.[0-9]{3}, path \[[0-3 ]+\]`, r.stderr)
	require.Regexp(t, `path [0-3] [0-3] [0-3], hash`, r.stdout)
	file := filepath.Join("found", run.GenotypeFile)
	g, err := genotype.Load(file)
	require.NoError(t, err)
	require.True(t, g.FollowsPath())
	require.Len(t, g.Path(), 3)

	// The rest on a path that goes up, whatever was found.
	g.Subnets[0].Path = []int{1, 2, 1}
	require.NoError(t, g.Save("up.json"))
	require.Contains(t, done(t, "genotype", "show", "up.json").stdout, "path 1 2 1, hash "+g.Hash())
	require.Contains(t, done(t, "genotype", "show", "up.json", "--svg", "-").stdout, ">level 3</text>")
	counted := object(t, done(t, "genotype", "params", "up.json", "--config", "tiny.toml", "--json"))
	var grids []float64
	for _, part := range counted["parts"].([]any) {
		grids = append(grids, part.(map[string]any)["output"].([]any)[1].(float64))
	}
	require.Equal(t, []float64{32, 16, 8, 16, 1}, grids, "stem, cells, head")

	r = done(t, "train", "--config", "tiny.toml", "--genotype", "up.json", "--out", "run", "-v", "--set", "train.epochs=1")
	require.Contains(t, r.stderr, "the levels are the path of the genotype")
	require.Contains(t, r.stdout, "path      [1 2 1]: the levels of the cells, from the genotype")
	refused(t, []string{"train", "--config", "tiny.toml", "--genotype", "up.json", "--out", "no", "--set", "network.levels=[0, 1]"},
		"--set network.levels contradicts genotype searched on fashion-mnist, whose cells have the levels [1 2 1] of its path; leave one of the two out")
	require.NoDirExists(t, "no")
	done(t, "eval", "--run", "run")
	out := done(t, "export", "--run", "run", "--check", "--check-images", "40").stdout
	require.Contains(t, out, "40")
	done(t, "report", "run")

	// Random members of the same space.
	done(t, append([]string{"search", "--random", "3", "--out", "drawn"}, layers...)...)
	files, err := filepath.Glob(filepath.Join("drawn", "genotypes", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, name := range files {
		g, err := genotype.Load(name)
		require.NoError(t, err)
		require.Len(t, g.Path(), 3)
	}

	refused(t, []string{"search", "--config", "tiny.toml", "--out", "no", "--set", "search.layer_search=true"},
		`set network.downsample = "nearest", not "reduction"`)
	refused(t, append([]string{"search", "--out", "no", "--set", "network.stem_strides=[3, 3]"}, layers...), "search.layer_search = true: 3 cells may reach level 3")
	refused(t, append([]string{"demo", "--out", "no", "--set", "search.layer_search=true"}, "--set", "network.downsample=nearest"),
		"demo: it searches cells on fixed levels")
	_, err = os.Stat("no")
	require.ErrorIs(t, err, os.ErrNotExist)
}
