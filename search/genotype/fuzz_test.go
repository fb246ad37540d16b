package genotype

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse checks that whatever is accepted can be written, read, hashed and
// drawn, and that whatever is refused is refused in one line.
func FuzzParse(f *testing.F) {
	for name, g := range all(f) {
		data, err := g.Encode()
		require.NoError(f, err)
		f.Add(data)
		f.Add([]byte(old(f, name)))
	}
	f.Add([]byte(`{"format": "spikedhs-genotype", "version": 4, "\n": 1}`))
	f.Add([]byte(`{"format": "spikedhs-stereo-genotype", "version": 1, "feature": {"path": [1e9]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Parse(data)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			require.False(t, strings.ContainsAny(err.Error(), "\r\n"), "%q", err.Error())
			return
		}
		require.NoError(t, g.Validate())
		written, err := g.Encode()
		require.NoError(t, err)
		again, err := Parse(written)
		require.NoError(t, err)
		require.Equal(t, g, again)
		require.Equal(t, g.Hash(), again.Hash())
		svgTexts(t, drawSVG(t, g))
		require.NoError(t, DOT(&bytes.Buffer{}, g))
	})
}

// FuzzReadNPY checks that whatever is accepted is a valid cell.
func FuzzReadNPY(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "npy", "*.npy"))
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadNPY(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			require.False(t, strings.ContainsAny(err.Error(), "\r\n"), "%q", err.Error())
			return
		}
		require.NoError(t, c.Validate())
		again, err := NewCell(c.Rows())
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
