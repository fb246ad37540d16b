package genotype

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func stereoPreset(t testing.TB) Stereo {
	t.Helper()
	g, err := StereoPreset(PresetStereo)
	require.NoError(t, err)
	return g
}

// The published cells as rows of [edge, op], and the published paths.
func TestStereoPreset(t *testing.T) {
	g := stereoPreset(t)
	require.NoError(t, g.Validate())
	assert.Equal(t, [][2]int{{1, 1}, {0, 1}, {3, 2}, {2, 1}, {7, 1}, {8, 1}}, g.Feature.Cell.Rows())
	assert.Equal(t, [][2]int{{0, 1}, {1, 2}, {4, 2}, {3, 2}, {8, 1}, {6, 1}}, g.Matching.Cell.Rows())
	assert.Equal(t, []int{1, 0}, g.Feature.Path)
	assert.Equal(t, []int{1, 2, 2, 1}, g.Matching.Path)
	assert.Equal(t, []string{PresetStereo}, StereoPresets())
	_, err := StereoPreset("none")
	assert.ErrorIs(t, err, ErrInvalid)
}

func TestStereoRoundTrip(t *testing.T) {
	g := stereoPreset(t)
	file := filepath.Join(t.TempDir(), "g.json")
	require.NoError(t, g.Save(file))
	for _, name := range []string{file, PresetStereo} {
		have, err := ResolveStereo(name)
		require.NoError(t, err)
		assert.Equal(t, g, have)
	}
	data, err := json.Marshal(map[string]Stereo{"g": g})
	require.NoError(t, err)
	var back map[string]Stereo
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, g, back["g"])
	assert.Equal(t, g.Hash(), back["g"].Hash())
	other, err := NewStereo("other name", g.Feature, g.Matching)
	require.NoError(t, err)
	assert.Equal(t, g.Hash(), other.Hash())
	other.Matching.Path[0] = 0
	assert.NotEqual(t, g.Hash(), other.Hash())
	assert.Equal(t, 1, g.Matching.Path[0], "NewStereo copies")
}

func TestStereoFaults(t *testing.T) {
	data, err := stereoPreset(t).Encode()
	require.NoError(t, err)
	good := string(data)
	cases := map[string][2]string{
		`format: "spikedhs-genotype" is not a stereo genotype`:       {stereoFormatName, formatName},
		"version: 2 was written by a newer version":                  {`"version": 1`, `"version": 2`},
		"version: 0 does not exist":                                  {`"version": 1`, `"version": 0`},
		"matching.path[1]: level jumps from 1 to 3":                  {"[1, 2, 2, 1]", "[1, 3, 2, 1]"},
		"feature.path[0]: level 4 is out of range":                   {"[1, 0]", "[4, 0]"},
		"feature.path: empty":                                        {"[1, 0]", "[]"},
		"unknown field":                                              {`"ops"`, `"x": 1, "ops"`},
		"feature.depth: unknown field":                               {"\"feature\": {", "\"feature\": {\"depth\": 1,"},
		"name: missing":                                              {`"name": "spikedhs-stereo",`, ""},
		"origin2: unknown field":                                     {`"matching"`, `"origin2"`},
		"feature.cell.edges[0].op: unknown operation":                {`"op": "snn_b3"`, `"op": "pool"`},
		"feature.cell.nodes: found a string; write a number":         {`"nodes": 3`, `"nodes": "3"`},
		"feature.cell.edges[0].node: 1, but edge 1 leads to node 0;": {`{"node": 0, "edge": 1, "from": "s1"`, `{"node": 1, "edge": 1, "from": "s1"`},
	}
	for want, change := range cases {
		_, err := ParseStereo([]byte(strings.Replace(good, change[0], change[1], 1)))
		require.ErrorIs(t, err, ErrInvalid, want)
		assert.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err = ParseStereo([]byte("{"))
	assert.ErrorIs(t, err, ErrInvalid)
	_, err = ResolveStereo("none.json")
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = Stereo{}.Encode()
	assert.ErrorIs(t, err, ErrInvalid)
	assert.ErrorIs(t, StereoSVG(io.Discard, Stereo{}), ErrInvalid)
	assert.ErrorIs(t, PathSVG(io.Discard, "x", []int{2}), ErrInvalid)
	assert.ErrorIs(t, PathSVG(io.Discard, "", []int{1}), ErrInvalid)
	assert.ErrorIs(t, StereoSVG(brokenWriter{}, stereoPreset(t)), errBroken)
}

// Look at the drawings before committing them after -update.
func TestStereoGolden(t *testing.T) {
	g := stereoPreset(t)
	var svg, path bytes.Buffer
	require.NoError(t, StereoSVG(&svg, g))
	require.NoError(t, PathSVG(&path, "a path", []int{0, 0, 1, 1, 1, 2, 2, 2}))
	data, err := g.Encode()
	require.NoError(t, err)
	svgTexts(t, svg.String())
	svgTexts(t, path.String())
	outputs := map[string][]byte{
		"stereo.json": data, "stereo.txt": []byte(StereoText(g)), "stereo.svg": svg.Bytes(), "path.svg": path.Bytes(),
	}
	for name, got := range outputs {
		file := filepath.Join("testdata", "golden", name)
		if *update {
			require.NoError(t, os.WriteFile(file, got, 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err, "run go test -update")
		assert.Equal(t, string(want), string(got), name)
	}
}

// FuzzParseStereo checks that what is accepted can be written, read, hashed and
// drawn, and that what is refused is refused in one line.
func FuzzParseStereo(f *testing.F) {
	data, err := stereoPreset(f).Encode()
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte(`{"format": "spikedhs-stereo-genotype", "version": 1, "feature": {"path": [1e9]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := ParseStereo(data)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			require.False(t, strings.ContainsAny(err.Error(), "\r\n"), "%q", err.Error())
			return
		}
		written, err := g.Encode()
		require.NoError(t, err)
		again, err := ParseStereo(written)
		require.NoError(t, err)
		require.Equal(t, g, again)
		require.Equal(t, g.Hash(), again.Hash())
		require.NoError(t, StereoSVG(io.Discard, g))
	})
}
