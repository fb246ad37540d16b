package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/npy"
)

// inOldFiles changes to a new working folder with the files that an older program
// left; see testdata/old/generate.sh.
func inOldFiles(t *testing.T) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "old", "files.tar.gz"))
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	for archive := tar.NewReader(unzipped); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		if h.FileInfo().IsDir() {
			require.NoError(t, os.MkdirAll(h.Name, 0o755))
			continue
		}
		text, err := io.ReadAll(archive)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(h.Name, text, 0o644))
	}
}

// nearly is how far results may be from those of the processor that made the files.
const nearly = 2e-3

// likeBefore requires all values of a JSON object that the older program printed.
func likeBefore(t *testing.T, name string, have map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("expected", name+".json"))
	require.NoError(t, err)
	var want map[string]any
	require.NoError(t, json.Unmarshal(text, &want))
	var same func(where string, want, have any)
	same = func(where string, want, have any) {
		switch want := want.(type) {
		case map[string]any:
			object, ok := have.(map[string]any)
			require.True(t, ok, where)
			for key, value := range want {
				// Places, and the form of a genotype, of which hash is the content.
				_, whole := value.(map[string]any)
				if key != "out" && key != "file" && key != "drawings" && !(key == "genotype" && whole) {
					same(where+"."+key, value, object[key])
				}
			}
		case []any:
			list, ok := have.([]any)
			require.True(t, ok, where)
			require.Len(t, list, len(want), where)
			for i := range want {
				same(where, want[i], list[i])
			}
		case float64:
			assert.InDelta(t, want, have, nearly*max(1, math.Abs(want)), where)
		default:
			assert.Equal(t, want, have, where)
		}
	}
	same(name, want, have)
}

// What older programs left loads, and means what it did: genotypes of every version,
// checkpoints in the middle of a run, exported models.
func TestOldFiles(t *testing.T) {
	inOldFiles(t)
	done(t, "data", "synth", "--scenes", "4", "--frames", "3", "--seed", "3", "--out", "scenes")
	for file, hash := range map[string]string{
		"cells.json": "106bfc6c706a", "path.json": "1baefd5cb853", "feature_mixed.npy": "fd69d3402deb", "matching.npy": "1140f2fdc359",
		"stereo.json": "bd6887d9dfd8",
	} {
		r := done(t, "genotype", "show", filepath.Join("genotypes", file))
		assert.Contains(t, r.stdout, "hash "+hash, file)
	}
	for _, run := range []string{"image", "event", "stereo"} {
		likeBefore(t, run+"-eval", object(t, done(t, "eval", "--run", run, "--json")))
	}
	images := []string{"--dataset", "fashion-mnist", "--dir", filepath.Join("data", "images"), "--index", "0-14"}
	recordings, err := filepath.Glob(filepath.Join("data", "recordings", "Test", "*", "*.bin"))
	require.NoError(t, err)
	require.NotEmpty(t, recordings)
	for model, inputs := range map[string][]string{"image": images, "event": recordings} {
		args := append([]string{"infer", "--json", "--model", filepath.Join(model, "model.pt")}, inputs...)
		likeBefore(t, model, object(t, done(t, args...)))
	}

	model := filepath.Join("stereo", "model.pt")
	done(t, "infer", "--model", model, "events.bin", "--out", "window.npy")
	want, err := npy.ReadFile(filepath.Join("expected", "window.npy"))
	require.NoError(t, err)
	have, err := npy.ReadFile("window.npy")
	require.NoError(t, err)
	assert.InDeltaSlice(t, npy.Values[float32](want), npy.Values[float32](have), nearly)
	streamed := done(t, "stream", "--model", model, "--events", "events.bin", "--format", "raw").stdout
	assert.InDeltaSlice(t, disparities(t, filepath.Join("expected", "stream.raw.gz")), floats([]byte(streamed)), nearly)

	for _, run := range []string{"search", "stereo-search", "image", "event", "stereo"} {
		verb := "train"
		if strings.HasSuffix(run, "search") {
			verb = "search"
		}
		likeBefore(t, run+"-resumed", object(t, done(t, verb, "--resume", "--out", run, "--json")))
	}
}

// disparities are the values of a compressed raw file.
func disparities(t *testing.T, path string) []float32 {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	raw, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	return floats(raw)
}

func floats(raw []byte) []float32 {
	list := make([]float32, len(raw)/4)
	for i := range list {
		list[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return list
}
