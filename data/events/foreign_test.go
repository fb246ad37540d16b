package events

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Real files, with the numbers that NumPy finds in their bytes.
func TestRealSamples(t *testing.T) {
	dir := samples(t)
	for _, sample := range []struct {
		name          string
		events, on    int
		width, height int
		declared      bool
		first, last   int64
	}{
		{"tonic_sample_nmnist.bin", 4325, 2145, 34, 34, false, 654, 311175},
		{"dvs128_2017-03-21_short.aedat", 130114, 74991, 128, 128, true, 113476330, 119657829},
		{"tonic_sample_ncars.dat", 2009, 1350, 78, 42, false, 0, 99952},
		{"loris_NCARS_obj_004397_td.dat", 4407, 1671, 54, 61, false, 0, 99937},
		{"expelliarmus_evt2_sample.raw", 539481, 367855, 600, 476, false, 1317888, 1367888},
		{"expelliarmus_evt3_sample.raw", 219596, 115532, 1280, 720, false, 11718656, 11727457},
		{"eventsviz_slider_depth_events_chunk.txt", 50000, 21147, 240, 180, false, 3811, 174156},
	} {
		r, err := Open(filepath.Join(dir, sample.name), Options{})
		require.NoError(t, err)
		on := 0
		for _, e := range r.Events {
			if e.P > 0 {
				on++
			}
		}
		assert.Equal(t, []int{sample.events, sample.on, sample.width, sample.height}, []int{len(r.Events), on, r.Width, r.Height}, sample.name)
		assert.Equal(t, []int64{sample.first, sample.last}, []int64{r.Events[0].Microseconds(), r.Events[len(r.Events)-1].Microseconds()}, sample.name)
		assert.Equal(t, sample.declared, r.Declared, sample.name)
		assert.Equal(t, Problems{}, r.Problems, sample.name)
	}
	// A file of a header alone, of another camera.
	_, err := Open(filepath.Join(dir, "tonic_sample_aedat_header.aedat"), Options{})
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "Davis346red")
	_, err = Open(filepath.Join(dir, "tonic_sample.aedat4"), Options{})
	assert.ErrorIs(t, err, ErrFormat)
}

const npyScript = `
import numpy as np
rng = np.random.default_rng(5)
n = 300
x = rng.integers(0, 34, n); y = rng.integers(0, 30, n); t = 1000 + np.cumsum(rng.integers(0, 999, n)); p = rng.integers(0, 2, n)
np.savetxt("want.txt", np.stack([t, x, y, p], 1), fmt="%d", delimiter=" ")
for name, kind in [("f8", "<f8"), ("f4", "<f4"), ("i4", "<i4"), ("big", ">i4"), ("i8", "<i8"), ("u4", "<u4")]:
    np.save("xytp_" + name, np.stack([x, y, t, p], 1).astype(kind))
    np.save("txyp_" + name, np.stack([t, x, y, p], 1).astype(kind))
np.save("fortran", np.asfortranarray(np.stack([x, y, t, p], 1).astype("<i8")))
np.save("minus", np.stack([x, y, t, 2 * p - 1], 1).astype("<f8"))
np.save("seconds", np.stack([t / 1e6, x, y, p], 1))
a = np.zeros(n, dtype=[("t", "<i8"), ("x", "<i2"), ("y", ">u2"), ("extra", "<f8"), ("p", "?")])
a["t"], a["x"], a["y"], a["p"] = t, x, y, p
np.save("record", a)
b = np.zeros(n, dtype=[("x", "u1"), ("y", "u1"), ("p", "i1"), ("timestamp", "<u8")])
b["timestamp"], b["x"], b["y"], b["p"] = t, x, y, p
np.save("record2", b)
np.save("bad_shape", np.zeros((3, 5)))
np.save("bad_type", np.zeros((3, 4), dtype="<c16"))
np.save("bad_nan", np.full((3, 4), np.nan))
np.save("bad_record", np.zeros(3, dtype=[("x", "<i2"), ("t", "<i8"), ("p", "?")]))
np.save("bad_half", np.zeros((3, 4), dtype="<f2"))
`

// What NumPy writes, of every type and order.
func TestNumPyFiles(t *testing.T) {
	dir := numpy(t, npyScript)
	expected, err := Open(filepath.Join(dir, "want.txt"), Options{Columns: "txyp"})
	require.NoError(t, err)
	require.Len(t, expected.Events, 300)
	paths, err := filepath.Glob(filepath.Join(dir, "*.npy"))
	require.NoError(t, err)
	read := 0
	for _, path := range paths {
		name := filepath.Base(path)
		r, err := Open(path, Options{Width: 34, Height: 34})
		if name[:3] == "bad" {
			assert.ErrorIs(t, err, ErrFormat, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, expected.Events, r.Events, name)
		read++
	}
	assert.Equal(t, 17, read)
	content, err := os.ReadFile(filepath.Join(dir, "xytp_f8.npy"))
	require.NoError(t, err)
	_, err = Decode("x.npy", content[:len(content)-1], Options{})
	assert.ErrorContains(t, err, "truncated in its data after 9599 of 9600 bytes")
}
