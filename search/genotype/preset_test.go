package genotype

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPresets(t *testing.T) {
	assert.Equal(t, []string{"spikedhs-cla-n3", "spikedhs-cla-n4"}, Presets())
	for _, name := range Presets() {
		g, err := Preset(name)
		require.NoError(t, err)
		assert.NoError(t, g.Validate())
		assert.Equal(t, name, g.Name)
	}
	g := mustPreset(t)
	assert.Equal(t, publishedFeatureRows, g.Normal.Rows())
	assert.Equal(t, []int{0, 0, 1, 1, 1, 2, 2, 2}, g.Path)
	assert.Equal(t, DownsampleNearest, g.Downsample)

	g.Normal.Edges[0].Op, g.Path[0], g.Ops[0] = Skip, 1, ""
	assert.NoError(t, mustPreset(t).Validate(), "every call returns a copy")
	assert.Equal(t, publishedFeatureRows, mustPreset(t).Normal.Rows())

	four, err := Preset(PresetClassificationN4)
	require.NoError(t, err)
	assert.Equal(t, []string{"n0 = b3(s1) + b3(s0)", "n1 = b5(s1) + b3(s0)", "n2 = b3(n0) + b3(n1)", "n3 = b5(n1) + b3(n0)"}, four.Normal.Equations())
	assert.Contains(t, four.Origin, "stand-in", "it is not published, and says so")

	_, err = Preset("none")
	assert.EqualError(t, err, `invalid genotype: preset: "none" is unknown; use one of spikedhs-cla-n3, spikedhs-cla-n4`)
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
	assert.Equal(t, PublishedMatching(), g.Normal)
	assert.Equal(t, "matching", g.Name)
	assert.Equal(t, "converted from matching.npy", g.Origin)
	assert.Equal(t, DownsampleNearest, g.Downsample)
}

func TestResolveFaults(t *testing.T) {
	_, err := Resolve("none")
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.EqualError(t, err, `genotype "none": file does not exist; give a JSON or .npy file or a preset: spikedhs-cla-n3, spikedhs-cla-n4`)
	_, err = Resolve("none.npy")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Resolve(filepath.Join("testdata", "npy", "bad_object.npy"))
	assert.ErrorContains(t, err, "bad_object.npy: invalid genotype: npy descr")

	odd := filepath.Join(t.TempDir(), "two\nlines.npy")
	data, err := os.ReadFile(filepath.Join("testdata", "npy", "matching.npy"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(odd, data, 0o600))
	_, err = Resolve(odd)
	assert.ErrorIs(t, err, ErrInvalid)
}
