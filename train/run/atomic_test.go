package run

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func writeText(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func requireText(t *testing.T, path, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(text))
}

func TestWriteFileAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, WriteFileAtomic(path, writeText("old, and longer")))
	requireText(t, path, "old, and longer")
	require.NoError(t, WriteFileAtomic(path, writeText("new")))
	requireText(t, path, "new")
	assert.Len(t, listing(t, filepath.Dir(path)), 2, "nothing is left beside the file")
}

func TestWriteFileAtomicShowsNothingHalf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, WriteFileAtomic(path, writeText("old")))
	require.NoError(t, WriteFileAtomic(path, func(w io.Writer) error {
		if err := writeText("new")(w); err != nil {
			return err
		}
		requireText(t, path, "old")
		return nil
	}))
	requireText(t, path, "new")
}

func TestWriteFileAtomicFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, WriteFileAtomic(path, writeText("old")))
	full := errors.New("disk full")
	err := WriteFileAtomic(path, func(w io.Writer) error {
		return errors.Join(writeText("half of the n")(w), full)
	})
	assert.ErrorIs(t, err, full)
	assert.Panics(t, func() { _ = WriteFileAtomic(path, func(io.Writer) error { panic("mistake") }) })
	requireText(t, path, "old")
	assert.Len(t, listing(t, filepath.Dir(path)), 2, "nothing is left beside the file")

	assert.ErrorIs(t, WriteFileAtomic(filepath.Join(path, "below", "a file"), writeText("")), errNotDir(t, path))
	assert.ErrorIs(t, WriteFileAtomic(filepath.Join(t.TempDir(), "none", "file"), writeText("")), os.ErrNotExist)
}

// errNotDir is what the system says about a path below a file.
func errNotDir(t *testing.T, file string) error {
	t.Helper()
	_, err := os.Open(filepath.Join(file, "x"))
	var failed *os.PathError
	require.ErrorAs(t, err, &failed)
	return failed.Err
}

func TestWriteFileAtomicInTheWorkingFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, WriteFileAtomic("file", writeText("text")))
	requireText(t, "file", "text")
}
