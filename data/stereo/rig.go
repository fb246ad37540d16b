package stereo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

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
	if err := readJSON(path, &r); errors.Is(err, fs.ErrNotExist) {
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
func WriteRig(root string, r Rig) error { return writeJSON(filepath.Join(root, RigFile), r) }

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return malformed("%s: %v; write it again", path, err)
	}
	return nil
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}
