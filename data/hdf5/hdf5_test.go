package hdf5

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/npy"
)

const systemPython = "/usr/bin/python3"

var written struct {
	sync.Once
	dir string
	err error
	out []byte
}

// files are what h5py writes; the test is skipped where there is no h5py.
func files(t testing.TB) string {
	t.Helper()
	if exec.Command(systemPython, "-c", "import h5py, numpy").Run() != nil {
		t.Skip("no h5py for " + systemPython)
	}
	written.Do(func() {
		if written.dir, written.err = os.MkdirTemp("", "hdf5"); written.err == nil {
			written.out, written.err = exec.Command(systemPython, "testdata/generate.py", written.dir).CombinedOutput()
		}
	})
	require.NoError(t, written.err, string(written.out))
	return written.dir
}

func TestMain(m *testing.M) {
	code := m.Run()
	if written.dir != "" {
		os.RemoveAll(written.dir)
	}
	os.Exit(code)
}

func open(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// TestReadsWhatH5pyWrites compares every array, as a whole and in random parts, with
// what h5py reads.
func TestReadsWhatH5pyWrites(t *testing.T) {
	dir := files(t)
	rng := rand.New(rand.NewPCG(1, 1))
	for file, least := range map[string]int{"default": 80, "block": 24, "latest": 3} {
		f := open(t, filepath.Join(dir, file+".h5"))
		names, err := filepath.Glob(filepath.Join(dir, file+".*.npy"))
		require.NoError(t, err)
		require.Greater(t, len(names), least-1)
		for _, name := range names {
			array, err := npy.ReadFile(name)
			if errors.Is(err, npy.ErrFormat) {
				continue // text and pairs
			}
			require.NoError(t, err)
			path := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), file+"."), ".npy")
			path = strings.ReplaceAll(path, "-", "/")
			d, err := f.Dataset(path)
			if path == "half" {
				require.ErrorIs(t, err, ErrUnsupported)
				continue
			}
			require.NoError(t, err, path)
			assert.Equal(t, array.Shape, d.Shape(), path)
			want := npy.Values[float64](array)
			got, err := ReadRows[float64](d, 0, d.Rows())
			require.NoError(t, err, path)
			require.Equal(t, want, got, path)
			for range 20 {
				first := rng.IntN(d.Rows() + 1)
				n := rng.IntN(d.Rows() - first + 1)
				got, err := ReadRows[float64](d, first, n)
				require.NoError(t, err)
				require.Equal(t, want[first*d.RowLen():][:n*d.RowLen()], got, "%s %d %d", path, first, n)
			}
		}
	}
}

func TestNamesAndFaults(t *testing.T) {
	dir := files(t)
	f := open(t, filepath.Join(dir, "default.h5"))
	names, err := list(f, "names")
	require.NoError(t, err)
	assert.Len(t, names, 60)
	assert.Equal(t, "array_07", names[7])
	names, err = list(f, "/davis/")
	require.NoError(t, err)
	assert.Equal(t, []string{"left"}, names)
	d, err := f.Dataset("types/lf4")
	require.NoError(t, err)
	_, err = ReadRows[int8](d, 4, 2)
	assert.ErrorContains(t, err, "rows 4 to 6 of /types/lf4, which has 5")
	for path, want := range map[string]error{
		"davis/right/events": ErrNotFound, "davis/left": ErrNotFound, "davis/left/scalar/x": ErrNotFound, "names/array_60": ErrNotFound,
		"text": ErrUnsupported, "pairs": ErrUnsupported, "soft": ErrUnsupported,
	} {
		_, err := f.Dataset(path)
		require.ErrorIs(t, err, want, path)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err = f.Dataset("davis/right/events")
	assert.EqualError(t, err, `group /davis has no "right": not in the HDF5 file`)
	f = open(t, filepath.Join(dir, "new.h5"))
	_, err = f.Dataset("many")
	require.ErrorIs(t, err, ErrUnsupported)
	assert.ErrorContains(t, err, "libver='latest'")
	_, err = list(f, "names")
	require.ErrorIs(t, err, ErrUnsupported)

	_, err = Open(filepath.Join(dir, "none.h5"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Open(filepath.Join(dir, "default.empty.npy"))
	require.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "has no HDF5 signature")
}

func TestDamagedChunks(t *testing.T) {
	dir := files(t)
	whole, err := os.ReadFile(filepath.Join(dir, "default.h5"))
	require.NoError(t, err)
	for _, path := range []string{"chunks/fletcher", "chunks/all", "chunks/gzip", "chunks/lzfsum"} {
		f, err := NewFile(bytes.NewReader(whole), int64(len(whole)))
		require.NoError(t, err)
		d, err := f.Dataset(path)
		require.NoError(t, err)
		chunks, err := d.index()
		require.NoError(t, err)
		spoiled := bytes.Clone(whole)
		spoiled[int(chunks[3].address)+chunks[3].size/2] ^= 0x10
		f, err = NewFile(bytes.NewReader(spoiled), int64(len(spoiled)))
		require.NoError(t, err)
		d, err = f.Dataset(path)
		require.NoError(t, err)
		_, err = ReadRows[float64](d, 0, d.Rows())
		require.ErrorIs(t, err, ErrFormat, path)
	}
	// Cut short anywhere: an error, or the arrays that are still whole.
	for cut := 0; cut < len(whole); cut += 997 {
		f, err := NewFile(bytes.NewReader(whole[:cut]), int64(cut))
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			continue
		}
		readAll(t, f)
	}
}

// list are the names in a group in alphabetical order.
func list(f *File, path string) ([]string, error) {
	at, err := f.find(path)
	if err != nil {
		return nil, err
	}
	links, err := f.links(at)
	return slices.Sorted(maps.Keys(links)), err
}

// readAll reads what a file that may be damaged has.
func readAll(t testing.TB, f *File) {
	known := func(err error) {
		if err != nil {
			require.True(t, errors.Is(err, ErrFormat) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrNotFound), err.Error())
		}
	}
	var visit func(path string, depth int)
	budget := 200
	visit = func(path string, depth int) {
		if budget--; budget < 0 {
			return
		}
		d, err := f.Dataset(path)
		known(err)
		if err == nil {
			n := min(d.Rows(), 20)
			if row := d.RowLen(); row < 1<<16 {
				_, err = ReadRows[float64](d, 0, n)
				known(err)
				_, err = ReadRows[float64](d, d.Rows()-n, n)
				known(err)
			}
			return
		}
		names, err := list(f, path)
		known(err)
		for _, name := range names {
			if depth < 4 && !strings.Contains(name, "/") && name != "" {
				visit(path+"/"+name, depth+1)
			}
		}
	}
	visit("", 0)
}

func TestLZF(t *testing.T) {
	got, err := unlzf([]byte{2, 'a', 'b', 'c', 0x20, 2, 0xe0, 3, 0}, 100)
	require.NoError(t, err)
	assert.Equal(t, "abc"+"abc"+strings.Repeat("c", 7+3+2), string(got))
	for _, bad := range [][]byte{{5, 'a'}, {0x20}, {0xe0}, {0xe0, 1}, {0, 'a', 0x20, 1}} {
		_, err := unlzf(bad, 100)
		require.ErrorIs(t, err, ErrFormat)
	}
	_, err = unlzf([]byte{0, 'a', 0xe0, 200, 0}, 100)
	require.ErrorIs(t, err, ErrFormat)
}

func FuzzFile(f *testing.F) {
	for _, name := range []string{"small.h5", "smallnew.h5"} {
		seed, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			require.True(t, errors.Is(err, ErrFormat) || errors.Is(err, ErrUnsupported), err.Error())
			return
		}
		readAll(t, file)
	})
}
