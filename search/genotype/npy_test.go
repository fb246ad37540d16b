package genotype

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The files in testdata/npy are written by NumPy; see generate.py there.
func npyFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "npy", name))
	require.NoError(t, err)
	return data
}

// npyBytes writes a file by hand, for headers that NumPy would not write.
func npyBytes(version byte, header string, data ...byte) []byte {
	b := append([]byte("\x93NUMPY"), version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	}
	return append(append(b, header...), data...)
}

func TestReadNPYWrittenByNumPy(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "npy", "feature_*.npy"))
	require.NoError(t, err)
	require.Len(t, files, 17)
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			c, err := ReadNPY(bytes.NewReader(npyFile(t, name)))
			require.NoError(t, err)
			assert.Equal(t, publishedFeatureRows, c.Rows())
			c, err = ReadNPY(iotest.OneByteReader(bytes.NewReader(npyFile(t, name))))
			require.NoError(t, err)
			assert.Equal(t, PublishedFeature(), c)
		})
	}
	c, err := ReadNPY(bytes.NewReader(npyFile(t, "matching.npy")))
	require.NoError(t, err)
	assert.Equal(t, PublishedMatching(), c)
}

func TestReadNPYFaultsWrittenByNumPy(t *testing.T) {
	cases := map[string]string{
		"bad_object":        `npy descr: "|O" is a pickled object array, which is not read for safety; save it again as a plain one`,
		"bad_structured":    "structured types are not read",
		"bad_bool":          `npy descr: "|b1" is not a number type`,
		"bad_complex":       `npy descr: "<c16" is not a number type`,
		"bad_shape_flat":    "npy shape: [12]",
		"bad_shape_columns": "npy shape: [2 6]",
		"bad_shape_odd":     "npy shape: [5 2]",
		"bad_shape_scalar":  "npy shape: []",
		"bad_shape_long":    "npy shape: [18 2]",
		"bad_fraction":      "npy[0][0]: 1.5 is a fraction",
		"bad_nan":           "npy[0][0]: NaN is out of range",
		"bad_huge":          "npy[5][0]: 1.8446744073709552e+19 is out of range",
		"bad_edge":          "rows[5].edge: 9 is out of range; a cell with 3 node(s) has edges 0..8",
		"bad_negative":      "rows[5].edge: -1 is out of range",
		"bad_op":            "rows[5].op: 3 is not an operation",
		"bad_duplicate":     "cell.edges[5].edge: edge 7 is listed twice in node 2",
		"bad_balance":       "cell.edges: node 1 has 3 edge(s)",
	}
	files, err := filepath.Glob(filepath.Join("testdata", "npy", "bad_*.npy"))
	require.NoError(t, err)
	require.Len(t, files, len(cases), "every bad file has its case")
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ReadNPY(bytes.NewReader(npyFile(t, name+".npy")))
			require.ErrorIs(t, err, ErrInvalid)
			assert.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestReadNPYTruncatedAnywhere(t *testing.T) {
	for _, name := range []string{"feature_le_i8.npy", "feature_v2.npy", "feature_u1.npy"} {
		data := npyFile(t, name)
		for n := range data {
			_, err := ReadNPY(bytes.NewReader(data[:n]))
			require.ErrorIs(t, err, ErrInvalid, "%s: %d bytes", name, n)
			require.ErrorContains(t, err, "truncated")
		}
		_, err := ReadNPY(bytes.NewReader(append(data, 0)))
		assert.ErrorContains(t, err, "npy data: more bytes than its shape tells")
	}
}

func TestReadNPYPassesReadErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	data := npyFile(t, "feature_le_i8.npy")
	for _, n := range []int{0, 3, 9, 50, 150, len(data)} {
		_, err := ReadNPY(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(broken)))
		assert.ErrorIs(t, err, broken)
	}
}

func TestReadNPYHeaders(t *testing.T) {
	rows := []byte{1, 1, 0, 2}
	good := []string{
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }\n",
		`{"shape":(2,2,),"fortran_order":False,"descr":"|u1"}`,
		"{'descr': '<u1', 'fortran_order': False, 'shape': (2L, 2L), }",
	}
	for _, header := range good {
		for version := byte(1); version <= 3; version++ {
			c, err := ReadNPY(bytes.NewReader(npyBytes(version, header, rows...)))
			require.NoError(t, err, header)
			assert.Equal(t, [][2]int{{1, 1}, {0, 2}}, c.Rows())
		}
	}
	bad := map[string]string{
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
		"{'descr': '=u1', 'fortran_order': False, 'shape': (2, 2)}":                    "is not a number type",
		"{'descr': '|i8', 'fortran_order': False, 'shape': (2, 2)}":                    "is not a number type",
		"{'descr': '<i3', 'fortran_order': False, 'shape': (2, 2)}":                    "is not a number type",
		"{'descr': '', 'fortran_order': False, 'shape': (2, 2)}":                       "is not a number type",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000000, 2)}":  "npy shape: [1000000000000000000 2]",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2)}":                    "npy shape: [0 2]",
		"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)\n, 'a\nb': 1}":       `unknown key "a\nb"`,
		"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), 'fortran_order': 1}": `key "fortran_order" twice`,
	}
	for header, want := range bad {
		_, err := ReadNPY(bytes.NewReader(npyBytes(1, header, rows...)))
		require.ErrorIs(t, err, ErrInvalid, header)
		assert.ErrorContains(t, err, want, header)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestReadNPYRejectsOtherFiles(t *testing.T) {
	_, err := ReadNPY(bytes.NewReader([]byte("PK\x03\x04 a zip archive")))
	assert.ErrorContains(t, err, "npy magic: not a NumPy file")
	_, err = ReadNPY(bytes.NewReader(npyBytes(4, "{}")))
	assert.ErrorContains(t, err, "npy version: 4 is unknown")
}

// TestReadNPYBoundsMemory has headers that claim gigabytes.
func TestReadNPYBoundsMemory(t *testing.T) {
	claim := append([]byte("\x93NUMPY\x02\x00"), 0xff, 0xff, 0xff, 0xff)
	huge := npyBytes(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000, 2)}")
	const runs = 100
	for _, data := range [][]byte{claim, huge} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			_, err := ReadNPY(bytes.NewReader(data))
			require.ErrorIs(t, err, ErrInvalid)
		}
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(runs*64<<10))
	}
	_, err := ReadNPY(bytes.NewReader(claim))
	assert.ErrorContains(t, err, "npy header: claims more than 10000 bytes")
}
