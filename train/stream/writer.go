package stream

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/spikedhs/spikedhs/data/npy"
	data "github.com/spikedhs/spikedhs/data/stereo"
)

// Format is how disparities are written.
type Format string

const (
	// PNG are pictures in colour, blue is far and red near, up to a largest disparity.
	PNG Format = "png"
	// NPY are arrays of float32 in pixels, [H, W], for NumPy.
	NPY Format = "npy"
	// Raw are float32 in pixels, little-endian, one picture after the other.
	Raw Format = "raw"
)

// Formats lists all of them.
func Formats() []Format { return []Format{PNG, NPY, Raw} }

// FileWriter returns a function for [Options].Out that writes one file a step into
// folder dir, named by the frame's number, in a folder for each sequence that has a
// name. largest is the disparity in pixels that is red.
func FileWriter(dir string, f Format, largest float64) func(*data.Step, []float32) error {
	made := map[string]bool{}
	return func(step *data.Step, disparity []float32) error {
		folder := filepath.Join(dir, step.Frame.Sequence)
		if !made[folder] {
			if err := os.MkdirAll(folder, 0o777); err != nil {
				return err
			}
			made[folder] = true
		}
		path := filepath.Join(folder, fmt.Sprintf("%06d.%s", step.Frame.Index, f.Extension()))
		return WriteFile(path, f, disparity, step.H, step.W, largest)
	}
}

// Extension is that of files of the format, without a dot.
func (f Format) Extension() string { return string(f) }

// WriteFile writes the disparities [height, width] in pixels of one picture. largest
// is the disparity that is red in a PNG.
func WriteFile(path string, f Format, disparity []float32, height, width int, largest float64) error {
	if f == NPY {
		return npy.WriteFile(path, []int{height, width}, disparity)
	}
	return writeFile(path, func(w io.Writer) error {
		if f == Raw {
			return writeRaw(w, disparity)
		}
		encoder := png.Encoder{CompressionLevel: png.BestSpeed}
		return encoder.Encode(w, data.DisparityPicture(disparity, height, width, largest))
	})
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// RawWriter returns a function for [Options].Out that writes pictures of float32 one
// after the other, each at once.
func RawWriter(w io.Writer) func(*data.Step, []float32) error {
	return func(_ *data.Step, disparity []float32) error { return writeRaw(w, disparity) }
}

func writeRaw(w io.Writer, disparity []float32) error {
	b := make([]byte, 4*len(disparity))
	for i, d := range disparity {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(d))
	}
	_, err := w.Write(b)
	return err
}
