package events

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// samples unpacks the archive of real files of many formats.
func samples(t testing.TB) string {
	t.Helper()
	shared := os.Getenv("SPIKEDHS_SHARED_DATA")
	if shared == "" {
		t.Skip("SPIKEDHS_SHARED_DATA names no folder of real recordings")
	}
	archive := filepath.Join(shared, "event_samples.tar.xz")
	if _, err := os.Stat(archive); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xJf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Skipf("tar: %v: %s", err, out)
	}
	return filepath.Join(dir, "event_samples")
}

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
