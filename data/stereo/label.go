package stereo

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
)

const (
	// Invalid is the value of a label image where there is no disparity.
	Invalid = 255
	// LabelScale is how many steps of a label image are one pixel of disparity.
	LabelScale = 7
)

// Quantize is the value of a label image for a depth in metres: 7*FB/(depth + 1e-15),
// rounded half to even; [Invalid] for NaN, infinity and what does not fit. It computes
// in float32, like the code that made the published labels.
func Quantize(depth float32, fb float64) uint8 {
	if math.IsInf(float64(depth), 0) {
		return Invalid
	}
	return level(float64(float32(LabelScale*fb) / (depth + 1e-15)))
}

// QuantizeDisparity is the value of a label image for a disparity in pixels.
func QuantizeDisparity(d float64) uint8 { return level(LabelScale * d) }

func level(v float64) uint8 {
	if v = math.RoundToEven(v); !(v >= 0 && v < Invalid) {
		return Invalid
	}
	return uint8(v)
}

// dequantize is the disparity in pixels of each value of a label image.
var dequantize = func() (d [256]float32) {
	for v := range Invalid {
		d[v] = float32(float64(v) / LabelScale)
	}
	d[Invalid] = float32(math.Inf(1))
	return d
}()

// Disparities are the disparities in pixels of the values of a label image; +Inf is
// no label.
func Disparities(values []uint8) []float32 {
	d := make([]float32, len(values))
	for i, v := range values {
		d[i] = dequantize[v]
	}
	return d
}

// ReadLabel reads a label image of the given size, row after row.
func ReadLabel(path string, width, height int) ([]uint8, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, classify(err)
	}
	defer f.Close()
	config, err := png.DecodeConfig(f)
	if err != nil {
		return nil, malformed("%s: %v; convert the sequence again", path, err)
	}
	if config.Width != width || config.Height != height {
		return nil, malformed("%s: %d x %d pixels; the rig has %d x %d, see %s", path, config.Width, config.Height, width, height, RigFile)
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, err
	}
	picture, err := png.Decode(f)
	if err != nil {
		return nil, malformed("%s: %v; convert the sequence again", path, err)
	}
	gray, ok := picture.(*image.Gray)
	if !ok {
		if _, deep := picture.(*image.Gray16); deep {
			return nil, malformed("%s: 16 bits a pixel; disparity images have 8", path)
		}
		gray = image.NewGray(picture.Bounds())
		draw.Draw(gray, gray.Bounds(), picture, picture.Bounds().Min, draw.Src)
	}
	return gray.Pix, nil
}

// WriteLabel writes a label image, or any 8-bit gray image.
func WriteLabel(path string, width, height int, values []uint8) error {
	if len(values) != width*height {
		return fmt.Errorf("%s: %d values for %d x %d pixels", path, len(values), width, height)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(f, &image.Gray{Pix: values, Stride: width, Rect: image.Rect(0, 0, width, height)}); err != nil {
		_ = f.Close()
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Close()
}
