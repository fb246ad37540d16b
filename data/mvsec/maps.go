package mvsec

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/stereo"
)

// rectification says where each pixel of a camera lies after rectification.
type rectification struct {
	x, y          []float64
	width, height int
}

// place is the rectified pixel of pixel (x, y), rounded half away from zero as Python 2
// rounds; ok tells whether it is in the picture.
func (r *rectification) place(x, y int) (px, py float64, ok bool) {
	i := y*r.width + x
	px, py = math.Round(r.x[i]), math.Round(r.y[i])
	return px, py, px >= 0 && px < float64(r.width) && py >= 0 && py < float64(r.height)
}

// prefix is what the names of the maps in a folder begin with, such as indoor_flying.
func prefix(folder string) (string, error) {
	const end = "_left_x_map.txt"
	found, err := filepath.Glob(filepath.Join(folder, "*"+end))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%s: %d files *%s, there must be one; give the folder of indoor_flying_calib.zip: %w",
			folder, len(found), end, data.ErrNotFound)
	}
	return strings.TrimSuffix(filepath.Base(found[0]), end), nil
}

// readRectification reads the two maps of a view.
func readRectification(folder, prefix string, v stereo.View, width, height int) (*rectification, error) {
	r := &rectification{width: width, height: height}
	for axis, out := range map[string]*[]float64{"x": &r.x, "y": &r.y} {
		path := filepath.Join(folder, fmt.Sprintf("%s_%s_%s_map.txt", prefix, v, axis))
		values, err := readMap(path, width, height)
		if err != nil {
			return nil, err
		}
		*out = values
	}
	return r, nil
}

// readMap reads a text file of height lines of width numbers.
func readMap(path string, width, height int) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, data.ErrNotFound)
	}
	defer f.Close()
	values := make([]float64, 0, width*height)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) != width || len(values) == width*height {
			return nil, fmt.Errorf("%s:%d: the map is not %d lines of %d numbers: %w", path, n, height, width, data.ErrFormat)
		}
		for _, field := range fields {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %.20q is no number: %w", path, n, field, data.ErrFormat)
			}
			values = append(values, v)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, err, data.ErrFormat)
	}
	if len(values) != width*height {
		return nil, fmt.Errorf("%s: the map is not %d lines of %d numbers: %w", path, height, width, data.ErrFormat)
	}
	return values, nil
}
