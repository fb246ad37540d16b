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
	assert.Len(t, listFiles(t, filepath.Dir(path)), 1, "no temporary file stays")
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
	assert.Equal(t, []string{"folder", "genotype.json"}, listFiles(t, dir), "no temporary file stays")
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

func listFiles(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
