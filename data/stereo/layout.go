package stereo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/npy"
)

// Names in the folder of a sequence.
const (
	// TimestampsFile lists the times of the frames.
	TimestampsFile = "timestamps.txt"
	// DisparityFolder has the labels, 8-bit PNG files.
	DisparityFolder = "disparity_image"
	// FloatFolder has exact disparity as float32 .npy files; only synthetic scenes do.
	FloatFolder = "disparity_float"
	// OcclusionFolder tells which left pixels the right camera does not see; only
	// synthetic scenes do.
	OcclusionFolder = "occlusion"
)

// Window is the time in seconds that the events of a frame span, up to its timestamp.
const Window = 0.05

// EventFile, DisparityFile, FloatFile and OcclusionFile are where the events, the label, the
// exact disparity and the occlusion mask of a frame of the sequence in folder dir are.
func EventFile(dir string, v View, frame int) string {
	return frameFile(dir, fmt.Sprintf("event%d", int(v)), frame, ".npy")
}
func DisparityFile(dir string, frame int) string {
	return frameFile(dir, DisparityFolder, frame, ".png")
}
func FloatFile(dir string, frame int) string { return frameFile(dir, FloatFolder, frame, ".npy") }
func OcclusionFile(dir string, frame int) string {
	return frameFile(dir, OcclusionFolder, frame, ".png")
}

func frameFile(dir, folder string, frame int, ending string) string {
	return filepath.Join(dir, folder, fmt.Sprintf("%06d%s", frame, ending))
}

// RigFile is the file of a data set's folder that describes its cameras.
const RigFile = "rig.json"

// Rig describes two rectified cameras: pinholes with one focal length, the right one
// Baseline metres to the right of the left.
type Rig struct {
	// Width and Height are the size of the picture in pixels.
	Width  int `json:"width"`
	Height int `json:"height"`
	// Focal is the focal length in pixels, (CX, CY) the principal point.
	Focal float64 `json:"focal"`
	CX    float64 `json:"cx"`
	CY    float64 `json:"cy"`
	// Baseline is the distance of the cameras in metres.
	Baseline float64 `json:"baseline"`
}

// MVSECRig are the cameras of MVSEC's indoor_flying sequences after rectification:
// Focal*Baseline is 19.941772 px m.
var MVSECRig = Rig{
	Width: 346, Height: 260, Focal: 199.6530123165822,
	CX: 177.43276376280926, CY: 126.81215684365904, Baseline: 19.941771812941038 / 199.6530123165822,
}

// FB is focal length times baseline in pixel metres: disparity * depth.
func (r Rig) FB() float64 { return r.Focal * r.Baseline }

func (r Rig) check() error {
	ok := validSize(r.Width, r.Height)
	for _, v := range []float64{r.Focal, r.Baseline} {
		ok = ok && v > 0 && !math.IsInf(v, 1)
	}
	if !ok {
		return malformed("rig %+v: sizes must be in 1..%d, focal and baseline above 0", r, maxSide)
	}
	return nil
}

// maxSide bounds the sides of a picture, so that sizes from files cannot overflow.
const maxSide = 8192

func validSize(width, height int) bool {
	return width > 0 && height > 0 && width <= maxSide && height <= maxSide
}

// readRig reads the rig of a data set; one without a file is MVSEC's.
func readRig(root string) (Rig, error) {
	path := filepath.Join(root, RigFile)
	var r Rig
	if err := ReadJSON(path, &r); errors.Is(err, fs.ErrNotExist) {
		return MVSECRig, nil
	} else if err != nil {
		return Rig{}, err
	}
	if err := r.check(); err != nil {
		return Rig{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// WriteRig writes the rig of the data set in folder root.
func WriteRig(root string, r Rig) error { return WriteJSON(filepath.Join(root, RigFile), r) }

// ReadJSON reads a small file of a data set. One that is no JSON is a [data.ErrFormat].
func ReadJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return malformed("%s: %v; write it again", path, err)
	}
	return nil
}

// WriteJSON writes a small file of a data set.
func WriteJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}

// ReadTimestamps reads a timestamps.txt: one time in seconds a line, # starts a
// comment. Times that are no finite number or do not rise are an error.
func ReadTimestamps(path string) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, classify(err)
	}
	defer f.Close()
	var times []float64
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := bytes.Cut(lines.Bytes(), []byte("#"))
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		t, err := strconv.ParseFloat(string(text), 64)
		if err != nil || math.IsInf(t, 0) || math.IsNaN(t) {
			return nil, malformed("%s:%d: %.40q is not a time in seconds; convert the sequence again", path, n, text)
		}
		if len(times) > 0 && t <= times[len(times)-1] {
			return nil, malformed("%s:%d: time %s is not after the one before it; convert the sequence again", path, n, text)
		}
		times = append(times, t)
	}
	if err := lines.Err(); err != nil {
		return nil, malformed("%s: %v", path, err)
	}
	return times, nil
}

// WriteTimestamps writes a timestamps.txt with six decimals, as C's %f.
func WriteTimestamps(path string, times []float64) error {
	b := []byte("# timestamp\n")
	for _, t := range times {
		b = fmt.Appendf(b, "%f\n", t)
	}
	return os.WriteFile(path, b, 0o666)
}

// malformed describes bad content as a [data.ErrFormat].
func malformed(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), data.ErrFormat)
}

// missing describes an absent file or folder as a [data.ErrNotFound].
func missing(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), data.ErrNotFound)
}

// classify marks an error of a file as one of the data, so that a caller can tell it
// from a full disk.
func classify(err error) error {
	switch {
	case errors.Is(err, npy.ErrFormat):
		return fmt.Errorf("%w: %w", err, data.ErrFormat)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", err, data.ErrNotFound)
	}
	return err
}
