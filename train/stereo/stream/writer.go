package stream

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io"
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
	// Panel are pictures as well: the events of the left view, the disparity, both over
	// each other, and beside them, where the frame has it, the true disparity and the error.
	Panel Format = "panel"
	// NPY are arrays of float32 in pixels, [H, W], for NumPy.
	NPY Format = "npy"
	// Raw are float32 in pixels, little-endian, one picture after the other.
	Raw Format = "raw"
)

// Formats lists all of them.
func Formats() []Format { return []Format{PNG, Panel, NPY, Raw} }

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
		return WriteFile(path, f, step, disparity, largest)
	}
}

// Extension is that of files of the format, without a dot.
func (f Format) Extension() string {
	if f == Panel {
		return string(PNG)
	}
	return string(f)
}

// WriteFile writes the disparities of a step in pixels, [H, W]. largest is the
// disparity that is red in pictures.
func WriteFile(path string, f Format, step *data.Step, disparity []float32, largest float64) error {
	if f == NPY {
		return npy.WriteFile(path, []int{step.H, step.W}, disparity)
	}
	return writeFile(path, func(w io.Writer) error {
		if f == Raw {
			return writeRaw(w, disparity)
		}
		picture := data.DisparityPicture(disparity, step.H, step.W, largest)
		if f == Panel {
			picture = panel(step, picture, disparity, largest)
		}
		encoder := png.Encoder{CompressionLevel: png.BestSpeed}
		return encoder.Encode(w, picture)
	})
}

// panelWidth is about how wide the pictures of a [Panel] are drawn, in pixels.
const panelWidth = 1200

func panel(step *data.Step, found *image.RGBA, disparity []float32, largest float64) *image.RGBA {
	parts := []*image.RGBA{data.EventPicture(step.Left, step.C, step.H, step.W), found, data.Overlay(found, step.Left, step.C)}
	if step.Label != nil {
		parts = append(parts, data.DisparityPicture(step.Label, step.H, step.W, largest),
			data.ErrorPicture(disparity, step.Label, step.H, step.W))
	}
	return data.Beside(max(1, panelWidth/(len(parts)*step.W)), parts...)
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
	return binary.Write(w, binary.LittleEndian, disparity)
}
