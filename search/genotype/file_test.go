package genotype

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "genotype.json")
	require.NoError(t, mustPreset(t).Save(path))
	require.NoError(t, twoCells(t).Save(path), "an existing file is replaced")
	g, err := Load(path)
	require.NoError(t, err)
	assert.Equal(t, twoCells(t), g)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o644), info.Mode().Perm())
	files, err := fs.Glob(os.DirFS(filepath.Dir(path)), "*")
	require.NoError(t, err)
	assert.Len(t, files, 1, "no temporary file stays")
}

func TestSaveLeavesOldFileOnFailure(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "genotype.json")
	require.NoError(t, mustPreset(t).Save(path))
	assert.ErrorIs(t, Genotype{}.Save(path), ErrInvalid)
	g, err := Load(path)
	require.NoError(t, err)
	assert.Equal(t, mustPreset(t), g)

	folder := filepath.Join(dir, "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "full"), 0o755))
	assert.Error(t, mustPreset(t).Save(folder), "a folder cannot be replaced")
	files, err := fs.Glob(os.DirFS(dir), "*")
	require.NoError(t, err)
	assert.Equal(t, []string{"folder", "genotype.json"}, files, "no temporary file stays")
	assert.ErrorIs(t, mustPreset(t).Save(filepath.Join(dir, "none", "genotype.json")), fs.ErrNotExist)
}

func TestLoadFaultsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(filepath.Join(dir, "none.json"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Load(dir)
	assert.Error(t, err)

	path := filepath.Join(dir, "bad.json")
	require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600))
	_, err = Load(path)
	assert.EqualError(t, err, path+": invalid genotype: format: missing; add it")

	require.NoError(t, os.WriteFile(path, make([]byte, maxFileSize+1), 0o600))
	_, err = Load(path)
	assert.ErrorContains(t, err, "document: larger than 1048576 bytes")
}

func TestPresets(t *testing.T) {
	assert.Equal(t, []string{"spikedhs-cla-n3", "spikedhs-cla-n4", "spikedhs-stereo"}, Presets())
	assert.Equal(t, []string{"spikedhs-cla-n3", "spikedhs-cla-n4"}, Presets(Normal))
	assert.Equal(t, []string{"spikedhs-stereo"}, Presets("feature", "matching"))
	assert.Empty(t, Presets("feature", Normal))
	for _, name := range Presets() {
		g, err := Preset(name)
		require.NoError(t, err)
		assert.NoError(t, g.Validate())
		assert.Equal(t, name, g.Name)
	}
	g := mustPreset(t)
	assert.Equal(t, publishedFeatureRows, g.Normal().Rows())
	assert.Equal(t, []int{0, 0, 1, 1, 1, 2, 2, 2}, g.Subnet(Normal).Levels)
	assert.Equal(t, DownsampleNearest, g.Downsample())

	n := g.Subnets[0]
	n.Cell.Edges[0].Op, n.Levels[0], g.Ops[0] = Skip, 1, ""
	assert.NoError(t, mustPreset(t).Validate(), "every call returns a copy")
	assert.Equal(t, publishedFeatureRows, mustPreset(t).Normal().Rows())

	four, err := Preset(PresetClassificationN4)
	require.NoError(t, err)
	assert.Equal(t, []string{"n0 = b3(s1) + b3(s0)", "n1 = b5(s1) + b3(s0)", "n2 = b3(n0) + b3(n1)", "n3 = b5(n1) + b3(n0)"}, four.Normal().Equations())
	assert.Contains(t, four.Origin, "stand-in", "it is not published, and says so")

	// The published cells as rows of [edge, op], and the published paths.
	both := stereoPreset(t)
	assert.Equal(t, [][2]int{{1, 1}, {0, 1}, {3, 2}, {2, 1}, {7, 1}, {8, 1}}, both.Subnet("feature").Cell.Rows())
	assert.Equal(t, [][2]int{{0, 1}, {1, 2}, {4, 2}, {3, 2}, {8, 1}, {6, 1}}, both.Subnet("matching").Cell.Rows())
	assert.Equal(t, []int{1, 0}, both.Subnet("feature").Path)
	assert.Equal(t, []int{1, 2, 2, 1}, both.Subnet("matching").Path)

	_, err = Preset("none")
	assert.EqualError(t, err, `invalid genotype: preset: "none" is unknown; use one of spikedhs-cla-n3, spikedhs-cla-n4, spikedhs-stereo`)
}

func TestResolve(t *testing.T) {
	g, err := Resolve("spikedhs-cla-n3")
	require.NoError(t, err)
	assert.Equal(t, mustPreset(t), g)

	path := filepath.Join(t.TempDir(), "mine.json")
	require.NoError(t, twoCells(t).Save(path))
	g, err = Resolve(path)
	require.NoError(t, err)
	assert.Equal(t, twoCells(t), g)

	g, err = Resolve(filepath.Join("testdata", "npy", "matching.npy"))
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	assert.Equal(t, PublishedMatching(), g.Normal())
	assert.Equal(t, "matching", g.Name)
	assert.Equal(t, "converted from matching.npy", g.Origin)
	assert.Equal(t, DownsampleNearest, g.Downsample())
}

func TestResolveFaults(t *testing.T) {
	_, err := Resolve("none")
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.EqualError(t, err, `genotype "none": file does not exist; give a JSON or .npy file or a preset: spikedhs-cla-n3, spikedhs-cla-n4, spikedhs-stereo`)
	_, err = Resolve("none.npy")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Resolve(filepath.Join("testdata", "npy", "bad_object.npy"))
	assert.ErrorContains(t, err, "bad_object.npy: invalid genotype: npy: ")

	odd := filepath.Join(t.TempDir(), "two\nlines.npy")
	data, err := os.ReadFile(filepath.Join("testdata", "npy", "matching.npy"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(odd, data, 0o600))
	_, err = Resolve(odd)
	assert.ErrorIs(t, err, ErrInvalid)
}
