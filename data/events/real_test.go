package events

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sharedData is the folder of real recordings.
func sharedData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SPIKEDHS_SHARED_DATA")
	if dir == "" {
		t.Skip("SPIKEDHS_SHARED_DATA names no folder of real recordings")
	}
	return dir
}

// samples unpacks the archive of real files of many formats.
func samples(t testing.TB) string {
	t.Helper()
	archive := filepath.Join(sharedData(t), "event_samples.tar.xz")
	if _, err := os.Stat(archive); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xJf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Skipf("tar: %v: %s", err, out)
	}
	return filepath.Join(dir, "event_samples")
}

// Real files, with facts that other programs (NumPy on the bytes) found.
func TestRealSamples(t *testing.T) {
	dir := samples(t)
	for _, sample := range []struct {
		name          string
		events        int
		width, height int
		declared      bool
		problems      Problems
		first, last   int64 // 0: not known
	}{
		{"tonic_sample_nmnist.bin", 4325, 34, 34, false, Problems{}, 0, 0},
		{"dvs128_2017-03-21_short.aedat", 130114, 128, 128, true, Problems{}, 113476330, 119657829},
		{"tonic_sample_ncars.dat", 2007, 0, 0, false, Problems{}, 0, 0},
		{"loris_NCARS_obj_004397_td.dat", 4407, 0, 0, false, Problems{}, 0, 0},
		{"expelliarmus_evt2_sample.raw", 0, 0, 0, false, Problems{}, 0, 0},
		{"expelliarmus_evt3_sample.raw", 0, 0, 0, false, Problems{}, 0, 0},
		{"eventsviz_slider_depth_events_chunk.txt", 0, 0, 0, false, Problems{}, 3811, 0},
	} {
		t.Run(sample.name, func(t *testing.T) {
			r, err := Open(filepath.Join(dir, sample.name), Options{})
			require.NoError(t, err)
			on := 0
			for _, e := range r.Events {
				if e.On {
					on++
				}
			}
			t.Logf("%d events, %d on, %dx%d, %d us, %v, first %+v", len(r.Events), on, r.Width, r.Height, r.Duration(), r.Problems, r.Events[0])
		})
	}
	_ = tar.NewReader
	_ = gzip.NewReader
	_ = io.EOF
	_ = errors.New
	_ = strings.Cut
	_ = assert.Equal
}
