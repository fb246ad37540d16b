package run

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/train/config"
)

var started = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

func TestCreateThenOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "first")
	cfg := config.Default()
	cfg.Run.Seed, cfg.Search.Epochs = 42, 20
	made, err := Create(dir, cfg, Info{
		Version: "1.2.3", Git: "abc", Command: []string{"spikedhs", "search", "--set", "a<b"}, Libtorch: "2.6.0",
		Device: "cpu", Threads: 2, Started: started.Add(time.Millisecond),
	})
	require.NoError(t, err)
	require.NoError(t, made.MarkEnded(started.Add(time.Hour)))

	opened, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, cfg, opened.Config())
	assert.Equal(t, made.Info(), opened.Info())
	info := opened.Info()
	assert.EqualValues(t, 42, info.Seed)
	assert.Equal(t, FormatVersion, info.Format)
	assert.Equal(t, started, info.Started)
	assert.Equal(t, started.Add(time.Hour), info.Ended)
	assert.Equal(t, dir, opened.Dir())
	assert.DirExists(t, opened.Path(CheckpointDir))
	text, err := os.ReadFile(opened.Path(InfoFile))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"a<b"`)
	if host, err := os.Hostname(); err == nil && len(host) > 3 {
		assert.NotContains(t, string(text), host)
	}

	require.NoError(t, opened.MarkResumed(started.Add(2*time.Hour)))
	again, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, []time.Time{started.Add(2 * time.Hour)}, again.Info().Resumed)
	assert.True(t, again.Info().Ended.IsZero())
	text, err = os.ReadFile(again.Path(InfoFile))
	require.NoError(t, err)
	assert.NotContains(t, string(text), `"ended"`)
}

func TestCreateTakesAnEmptyFolder(t *testing.T) {
	_, err := Create(t.TempDir(), config.Default(), Info{})
	assert.NoError(t, err)
}

// listing is every path below dir.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	require.NoError(t, filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		paths = append(paths, path)
		return err
	}))
	return paths
}

func TestCreateChangesNothingThatExists(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600))
	before := listing(t, dir)

	_, err := Create(dir, config.Default(), Info{})
	require.ErrorIs(t, err, ErrExists)
	assert.EqualError(t, err, "run folder "+dir+" exists: give another --out or continue it with --resume")

	_, err = Create(filepath.Join(dir, "mine"), config.Default(), Info{})
	require.ErrorIs(t, err, ErrExists)
	assert.ErrorContains(t, err, "is a file")

	_, err = Create("", config.Default(), Info{})
	assert.Error(t, err)

	broken := config.Default()
	broken.Train.Epochs = 0
	_, err = Create(filepath.Join(dir, "new"), broken, Info{})
	assert.ErrorIs(t, err, config.ErrInvalid)
	assert.Equal(t, before, listing(t, dir))
}

func TestOpenMistakes(t *testing.T) {
	spoiled := func(change func(dir string)) string {
		dir := filepath.Join(t.TempDir(), "run")
		_, err := Create(dir, config.Default(), Info{Version: "1"})
		require.NoError(t, err)
		change(dir)
		return dir
	}
	write := func(dir, name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for want, change := range map[string]func(dir string){
		"does not exist":         func(dir string) { require.NoError(t, os.RemoveAll(dir)) },
		"has no run.json":        func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, InfoFile))) },
		"has no config.toml":     func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, ConfigFile))) },
		"does not describe a":    func(dir string) { write(dir, InfoFile, "{}") },
		"not describe a run of ": func(dir string) { write(dir, InfoFile, `{"format":`) },
		"is a file": func(dir string) {
			require.NoError(t, os.RemoveAll(dir))
			require.NoError(t, os.WriteFile(dir, nil, 0o600))
		},
	} {
		_, err := Open(spoiled(change))
		require.ErrorIs(t, err, ErrNotRun)
		assert.ErrorContains(t, err, want)
	}

	_, err := Open(spoiled(func(dir string) { write(dir, InfoFile, `{"format": 9, "version": "7.1"}`) }))
	assert.ErrorContains(t, err, "has format 9, this program knows formats up to 1: use the program that wrote it, version 7.1")
	_, err = Open(spoiled(func(dir string) { write(dir, ConfigFile, "[train]\nepoch = 3") }))
	require.ErrorIs(t, err, config.ErrInvalid)
	assert.True(t, strings.HasSuffix(err.Error(), "config.toml:2: unknown key train.epoch; did you mean train.epochs?"), err)
}

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

func TestRevision(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123abc"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	assert.Equal(t, "0123abc-dirty", revision([]debug.BuildSetting{commit, modified}))
	assert.Equal(t, "0123abc", revision([]debug.BuildSetting{commit, clean}))
	assert.Empty(t, revision([]debug.BuildSetting{modified}))
	assert.Empty(t, revision(nil))
}

func TestInfoIsCompleted(t *testing.T) {
	info := Info{Git: "known"}
	info.complete(7)
	assert.Equal(t, "known", info.Git)
	assert.EqualValues(t, 7, info.Seed)
	assert.NotEmpty(t, info.Go)
	assert.False(t, info.Started.IsZero())
	assert.Zero(t, info.Started.Nanosecond())
}
