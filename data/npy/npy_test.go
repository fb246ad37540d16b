package npy

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const systemPython = "/usr/bin/python3"

// python runs a script where Python with NumPy is present.
func python(t *testing.T, script string, args ...string) {
	t.Helper()
	if exec.Command(systemPython, "-c", "import numpy").Run() != nil {
		t.Skip("no NumPy for " + systemPython)
	}
	out, err := exec.Command(systemPython, append([]string{"-c", script}, args...)...).CombinedOutput()
	require.NoError(t, err, string(out))
}

func file(version byte, header string, data ...byte) []byte {
	b := append([]byte(magic), version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	}
	return append(append(b, header...), data...)
}

func TestReadsWhatNumPyWrites(t *testing.T) {
	dir := t.TempDir()
	python(t, `
import sys, numpy as np
from numpy.lib import format as f
d = sys.argv[1] + "/"
v = np.arange(24).reshape(2, 3, 4) - 5
for order in "<", ">":
    for kind in "i1 i2 i4 i8 f4 f8".split():
        np.save(d + {"<": "little", ">": "big"}[order] + kind, v.astype(order + kind))
np.save(d + "fortran", np.asfortranarray(v.astype("f4")))
for version in (1, 0), (2, 0), (3, 0):
    with open(d + "v%d.npy" % version[0], "wb") as h:
        f.write_array(h, v.astype("i2"), version=version)
np.savez_compressed(d + "zipped", left=v, right=v.astype("f8"))
np.savez(d + "stored", left=v, right=v.astype("f8"))
np.save(d + "scalar", np.float64(2.5))
np.save(d + "flags", np.array([True, False]))
`, dir)
	want := make([]float64, 24)
	for i := range want {
		want[i] = float64(i - 5)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*[0-9nd].npy"))
	require.NoError(t, err)
	require.Len(t, files, 16)
	for _, name := range files {
		a, err := ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, []int{2, 3, 4}, a.Shape, name)
		assert.Equal(t, want, Values[float64](a), name)
	}
	for _, name := range []string{"zipped.npz", "stored.npz"} {
		arrays, err := ReadZip(filepath.Join(dir, name), "left", "right")
		require.NoError(t, err)
		require.Len(t, arrays, 2)
		assert.Equal(t, want, Values[float64](arrays["left"]))
		assert.Equal(t, want, Values[float64](arrays["right"]))
		_, err = ReadZip(filepath.Join(dir, name), "middle")
		require.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, `no array "middle"`)
	}
	a, err := ReadFile(filepath.Join(dir, "scalar.npy"))
	require.NoError(t, err)
	assert.Empty(t, a.Shape)
	assert.Equal(t, []float64{2.5}, Values[float64](a))
	a, err = ReadFile(filepath.Join(dir, "flags.npy"))
	require.NoError(t, err)
	assert.Equal(t, []int8{1, 0}, Values[int8](a))
}

func TestWritesWhatNumPyWrites(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, WriteFile(filepath.Join(dir, "a.npy"), []int{2, 3}, []float64{1, -2.5, math.Pi, 4, 5, math.Inf(1)}))
	require.NoError(t, WriteFile(filepath.Join(dir, "b.npy"), []int{0}, []float64{}))
	require.NoError(t, WriteFile(filepath.Join(dir, "c.npy"), []int{4}, []int8{-1, 0, 1, 127}))
	require.NoError(t, WriteFile(filepath.Join(dir, "d.npy"), []int{1, 2, 1}, []float32{7, 1.5}))
	require.NoError(t, WriteFile(filepath.Join(dir, "e.npy"), []int{}, []int64{-9}))
	python(t, `
import sys, numpy as np
d = sys.argv[1] + "/"
want = {"a": np.array([[1, -2.5, np.pi], [4, 5, np.inf]]), "b": np.zeros(0), "c": np.array([-1, 0, 1, 127], "i1"),
        "d": np.array([[[7], [1.5]]], "f4"), "e": np.array(-9)}
for name, array in want.items():
    np.save(d + "np", array)
    assert open(d + "np.npy", "rb").read() == open(d + name + ".npy", "rb").read(), name
`, dir)
	assert.ErrorContains(t, WriteFile(filepath.Join(dir, "f.npy"), []int{3}, []int8{1}), "has 3 elements, 1 are given")
}

func TestReadFaults(t *testing.T) {
	const good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }\n"
	for n, data := 0, file(1, good, 1, 2, 3, 4); n < len(data); n++ {
		_, err := Read(iotest.OneByteReader(bytes.NewReader(data[:n])))
		require.ErrorIs(t, err, ErrFormat)
		require.ErrorContains(t, err, "truncated")
	}
	long := filepath.Join(t.TempDir(), "long.npy")
	require.NoError(t, os.WriteFile(long, file(1, good, 1, 2, 3, 4, 5), 0o600))
	_, err := ReadFile(long)
	assert.ErrorContains(t, err, long+": bad NumPy file: more bytes than its shape tells")

	for header, want := range map[string]string{
		"":   `expected '{'`,
		"{}": "is missing",
		"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}":                                  "Python objects",
		"{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}":                                 "not a plain number",
		"{'descr': '=i4', 'fortran_order': False, 'shape': (2,)}":                                 "not a plain number",
		"{'descr': [('x', '<i4')], 'fortran_order': False, 'shape': (2,)}":                        "structured types are not read",
		"{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 2)}":                                   "expected True or False",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (-2, 2)}":                              "expected a whole number",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)} x":                             "unexpected",
		"{'descr': '|u1', 'descr': '|u1', 'shape': (2, 2)}":                                       "twice",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000, 9000000000)}":             "larger than any memory",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000, 2)}":                      "truncated in its data after 0 of",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (1" + strings.Repeat(", 1", 40) + ")}": "axes",
	} {
		_, err := Read(bytes.NewReader(file(1, header)))
		require.ErrorIs(t, err, ErrFormat, header)
		assert.ErrorContains(t, err, want, header)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err = Read(bytes.NewReader(file(9, good)))
	assert.ErrorContains(t, err, "version 9 is unknown")
	_, err = Read(bytes.NewReader([]byte("PK\x03\x04 some zip")))
	assert.ErrorContains(t, err, "does not start like one")
	_, err = Read(bytes.NewReader(append([]byte(magic), 2, 0, 255, 255, 255, 255)))
	assert.ErrorContains(t, err, "claims more than 10000 bytes")
	_, err = ReadZip(long)
	require.ErrorIs(t, err, ErrFormat)
	_, err = ReadZip(filepath.Join(t.TempDir(), "none.npz"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Records have a reader of their own; NumPy's are read in package events' tests.
func TestReadRecords(t *testing.T) {
	const header = "{'descr': [('x', '|u1'), ('t', '>i2'), ], 'fortran_order': False, 'shape': (2,), }\n"
	data := file(1, header, 7, 1, 0, 9, 0, 2)
	fields, rows, err := ReadRecords(bytes.NewReader(data))
	require.NoError(t, err)
	assert.Equal(t, []string{"x", "t"}, fields)
	assert.Equal(t, []float64{7, 256, 9, 2}, rows)
	_, err = Read(bytes.NewReader(data))
	require.ErrorIs(t, err, ErrRecords)
	require.ErrorIs(t, err, ErrFormat)
	for n := range data {
		_, _, err := ReadRecords(bytes.NewReader(data[:n]))
		require.ErrorIs(t, err, ErrFormat)
	}
	for want, data := range map[string][]byte{
		"more bytes":               append(bytes.Clone(data), 0),
		"fields are plain numbers": file(1, "{'descr': [('x', '<f4', (2,))], 'fortran_order': False, 'shape': (2,)}"),
		"not a plain number":       file(1, "{'descr': [('x', '<c8')], 'fortran_order': False, 'shape': (2,)}"),
		"no list of records":       file(1, "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 1)}"),
		"with 0 fields":            file(1, "{'descr': [], 'fortran_order': False, 'shape': (2,)}"),
		"larger than any memory":   file(1, "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (9000000000000000000,)}"),
		"expected a string":        file(1, "{'descr': [(1, '<f8')], 'fortran_order': False, 'shape': (2,)}"),
	} {
		_, _, err := ReadRecords(bytes.NewReader(data))
		require.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, want)
	}
}

func TestHeaders(t *testing.T) {
	for _, header := range []string{
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }\n",
		`{"shape":(2,2,),"fortran_order":False,"descr":"|u1"}`,
		"{'descr': '<u1', 'fortran_order': False, 'shape': (2L, 2L), }",
	} {
		for version := byte(1); version <= 3; version++ {
			a, err := Read(bytes.NewReader(file(version, header, 1, 1, 0, 2)))
			require.NoError(t, err, header)
			assert.Equal(t, []int{2, 2}, a.Shape)
			assert.Equal(t, []int64{1, 1, 0, 2}, Values[int64](a))
		}
	}
	for header, want := range map[string]string{
		"":   `expected '{'`,
		"{}": "descr, fortran_order or shape is missing",
		"{'descr': '|u1', 'fortran_order': False}":                                     "is missing",
		"{'descr': '|u1', 'descr': '|u1', 'fortran_order': False}":                     `key "descr" twice`,
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), 'more': 1}":         `unknown key "more"`,
		"{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 2)}":                        "expected True or False",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, -2)}":                   "expected a whole number",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 99999999999999999999)}": "expected a whole number",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2":                      `expected ')'`,
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2 2)}":                     `expected ')'`,
		"{'descr': '|u1', 'fortran_order': False, 'shape': [2, 2]}":                    `expected '('`,
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)} trailing":           `unexpected "trailing"`,
		"{'descr': '|u1, 'fortran_order': False}":                                      "expected",
		"{'descr: ": "malformed string",
		`{'descr': '\x41', 'fortran_order': False, 'shape': (2, 2)}`: "malformed string",
		"{'descr' '|u1'}":                                                              `expected ':'`,
		"{'descr': '|u1' 'shape': (2, 2)}":                                             `expected '}'`,
		"{'descr': '=u1', 'fortran_order': False, 'shape': (2, 2)}":                    "is not a plain number",
		"{'descr': '|i8', 'fortran_order': False, 'shape': (2, 2)}":                    "is not a plain number",
		"{'descr': '<i3', 'fortran_order': False, 'shape': (2, 2)}":                    "is not a plain number",
		"{'descr': '', 'fortran_order': False, 'shape': (2, 2)}":                       "is not a plain number",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000000, 2)}":  "larger than any memory",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)\n, 'a\nb': 1}":       `unknown key "a\nb"`,
		"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), 'fortran_order': 1}": `key "fortran_order" twice`,
	} {
		_, err := Read(bytes.NewReader(file(1, header, 1, 1, 0, 2)))
		require.ErrorIs(t, err, ErrFormat, header)
		assert.ErrorContains(t, err, want, header)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestClaimsCostNoMemory(t *testing.T) {
	data := file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000, 4)}")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Read(bytes.NewReader(data))
	runtime.ReadMemStats(&after)
	require.Error(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
}

func FuzzRead(f *testing.F) {
	f.Add(file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }\n", 0, 0, 0, 0, 0, 0, 0xf8, 0x7f))
	f.Add(file(2, "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }\n", 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add(file(3, "{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Read(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		values := Values[float64](a)
		require.Len(t, values, n)
		var b bytes.Buffer
		require.NoError(t, Write(&b, a.Shape, values))
		again, err := Read(&b)
		require.NoError(t, err)
		require.Equal(t, a.Shape, again.Shape)
		for i, v := range Values[float64](again) {
			require.Equal(t, math.Float64bits(values[i]), math.Float64bits(v))
		}
	})
}
