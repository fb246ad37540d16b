package genotype

import (
	"bytes"
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
		"bad_object":        `type "|O" holds Python objects, which are not read for safety; save plain numbers`,
		"bad_structured":    "structured types are not read",
		"bad_bool":          "cell.edges: node 0 has 6 edge(s)", // zeros and ones
		"bad_complex":       `type "<c16" is not a plain number`,
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
		assert.ErrorContains(t, err, "npy: bad NumPy file: more bytes than its shape tells")
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

// TestReadNPYBoundsMemory has headers that claim gigabytes.
func TestReadNPYBoundsMemory(t *testing.T) {
	claim := append([]byte("\x93NUMPY\x02\x00"), 0xff, 0xff, 0xff, 0xff)
	header := "{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000, 2)}"
	huge := append([]byte{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, byte(len(header)), 0}, header...)
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
	assert.ErrorContains(t, err, "the header claims more than 10000 bytes")
}
