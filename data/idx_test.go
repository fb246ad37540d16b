package data

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadIDX(t *testing.T) {
	values := []byte{1, 2, 3, 4, 5, 6}
	sizes, got, err := readIDX(iotest.OneByteReader(bytes.NewReader(idxFile(values, 1, 3, 2))), 3)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 3, 2}, sizes)
	assert.Equal(t, values, got)
}

func TestReadIDXRefuses(t *testing.T) {
	good := idxFile([]byte{1, 2, 3, 4}, 1, 2, 2)
	change := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for name, content := range map[string][]byte{
		"empty":             {},
		"half a magic":      good[:3],
		"no sizes":          good[:9],
		"one value short":   good[:len(good)-1],
		"no values":         good[:16],
		"one value over":    append(bytes.Clone(good), 0),
		"first magic byte":  change(0, 1),
		"type float":        change(2, 0x0d),
		"one axis too many": change(3, 4),
		"an axis of 0":      change(7, 0),
		"product overflows": idxFile(nil, 1<<31, 1<<31, 4),
		"over the limit":    idxFile(nil, 1<<16, 1<<15, 2),
	} {
		_, _, err := readIDX(bytes.NewReader(content), 3)
		assert.ErrorIs(t, err, ErrFormat, name)
	}
}

func TestReadIDXPassesReadErrorsOn(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, _, err := readIDX(iotest.ErrReader(broken), 1)
	assert.ErrorIs(t, err, broken)
}

// A short file that declares 2 GB must not make the reader ask for 2 GB.
func TestReadIDXDoesNotTrustSizes(t *testing.T) {
	content := idxFile(make([]byte, 100), 1<<15, 1<<8, 1<<8)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := readIDX(bytes.NewReader(content), 3)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, ErrFormat)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
}

// Large enough for the buffer to grow, with a size that is no power of two.
func TestReadIDXGrows(t *testing.T) {
	values := bytes.Repeat([]byte{1, 2, 3, 5, 7, 11, 13}, 500_000)
	_, got, err := readIDX(bytes.NewReader(idxFile(values, uint32(len(values)))), 1)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(values, got))
}

// Whatever is accepted must be exactly what encoding it again gives.
func FuzzIDX(f *testing.F) {
	f.Add(idxFile([]byte{1, 2, 3, 4}, 1, 2, 2), 3)
	f.Add(idxFile([]byte{9, 0, 3}, 3), 1)
	f.Add(idxFile([]byte{9, 0, 3, 1}, 3), 1)
	f.Add(idxFile(nil, 1<<31, 1<<31, 1<<31), 3)
	f.Add([]byte{0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff, 1}, 1)
	f.Add([]byte{}, 1)
	f.Fuzz(func(t *testing.T, content []byte, axes int) {
		if axes < 1 || axes > 4 {
			t.Skip("the package reads 1 and 3 axes")
		}
		sizes, values, err := readIDX(bytes.NewReader(content), axes)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		encoded := make([]uint32, len(sizes))
		for i, s := range sizes {
			encoded[i] = uint32(s)
		}
		require.Equal(t, content, idxFile(values, encoded...))
	})
}
