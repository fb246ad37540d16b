package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spikedhs/spikedhs/data"
)

// PictureRow is how fast the image files of a folder become input of a network, by one
// of several ways.
type PictureRow struct {
	Bench string `json:"bench"`
	// Way is what was done: see the Way constants.
	Way     string `json:"way"`
	Files   int    `json:"files"`
	Size    int    `json:"size"`
	Workers int    `json:"workers"`
	// Rate is files a second, the median, and RatePerCore that of one worker.
	Rate        float64   `json:"rate_per_s"`
	RatePerCore float64   `json:"rate_per_s_and_core"`
	MegabytesS  float64   `json:"megabytes_per_s_and_core"` // of files
	Spread      float64   `json:"spread"`
	Samples     []float64 `json:"samples"`
}

// Ways of [Pictures].
const (
	// WayPillow is Pillow's bare decoding, which is libjpeg-turbo's, from memory to RGB.
	WayPillow = "pillow decode"
	// WayGo is the bare decoding of Go's image/jpeg, from memory to planes of JPEG.
	WayGo = "go decode"
	// WayCrop reads a file, decodes it and resizes a random part.
	WayCrop = "read+decode+crop"
	// WayLoader is the whole loader, with flip, normalisation and float32 batches.
	WayLoader = "loader"
	// WayLoaderAll is the loader with as many workers as Go may use cores.
	WayLoaderAll = "loader, all cores"
)

// PicturesOptions configure [Pictures].
type PicturesOptions struct {
	// Dir holds train and val, as for the data set image-folder.
	Dir string
	// Files is how many files of the training part are used at most, spread evenly.
	Files int
	// Size is the side of the crops, Batch the images of a batch.
	Size, Batch int
	// Repeats is the number of passes over the files that are measured, after one that
	// warms up.
	Repeats int
	// Python is an interpreter with Pillow; without one that row is left out.
	Python string
}

// Pictures measures the steps from image files to batches on one core, and the whole on
// all. The files are in the memory of the system after the first pass.
func Pictures(ctx context.Context, o PicturesOptions) ([]PictureRow, error) {
	set, err := data.OpenWith(ctx, "image-folder", o.Dir, data.Train, data.OpenOptions{Size: o.Size, MaxCorrupt: 1})
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	folder := set.(*data.ImageFolder)
	n := min(o.Files, set.Len())
	indices := make([]int, n)
	var paths []string
	var contents [][]byte
	total := 0
	for k := range indices {
		indices[k] = k * set.Len() / n
		path := folder.Path(indices[k])
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		paths, contents, total = append(paths, path), append(contents, b), total+len(b)
	}
	part, err := data.Subset(set, indices)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	row := func(way string, workers int, samples []float64) PictureRow {
		rate := median(samples)
		return PictureRow{
			Bench: "pictures", Way: way, Files: n, Size: o.Size, Workers: workers, Rate: rate, RatePerCore: rate / float64(workers),
			MegabytesS: rate / float64(workers) * float64(total) / float64(n) / 1e6, Spread: spread(samples), Samples: samples,
		}
	}
	var rows []PictureRow
	if o.Python != "" {
		samples, err := pillowRates(ctx, o.Python, paths, o.Repeats)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row(WayPillow, 1, samples))
	}
	one, err := oneCore(ctx, part.(data.Cropper), contents, o)
	if err != nil {
		return nil, err
	}
	for _, way := range []string{WayGo, WayCrop, WayLoader} {
		rows = append(rows, row(way, 1, one[way]))
	}
	cores := runtime.GOMAXPROCS(0)
	samples, err := pictureLoaderRates(ctx, part, o, cores)
	if err != nil {
		return nil, err
	}
	return append(rows, row(WayLoaderAll, cores, samples)), nil
}

// oneCore measures what needs one core of Go.
func oneCore(ctx context.Context, set data.Cropper, contents [][]byte, o PicturesOptions) (map[string][]float64, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rates := map[string][]float64{}
	var rng rand.PCG
	crop := make([]byte, 3*o.Size*o.Size)
	for _, way := range []struct {
		name string
		do   func(k int) error
	}{
		{WayGo, func(k int) error {
			// A file that is no JPEG, or is damaged, is as fast as it fails.
			_, err := jpeg.Decode(bytes.NewReader(contents[k]))
			var format jpeg.FormatError
			var unsupported jpeg.UnsupportedError
			if errors.As(err, &format) || errors.As(err, &unsupported) {
				return nil
			}
			return err
		}},
		{WayCrop, func(k int) error {
			rng.Seed(1, uint64(k))
			_, err := set.Crop(k, data.ImageNetCrop, &rng, crop)
			return err
		}},
	} {
		for pass := range o.Repeats + 1 {
			began := time.Now()
			for k := range contents {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				if err := way.do(k); err != nil {
					return nil, fmt.Errorf("bench: %s: %w", way.name, err)
				}
			}
			if pass > 0 {
				rates[way.name] = append(rates[way.name], float64(len(contents))/time.Since(began).Seconds())
			}
		}
	}
	var err error
	rates[WayLoader], err = pictureLoaderRates(ctx, set, o, 1)
	return rates, err
}

// pictureLoaderRates are images a second of the loader.
func pictureLoaderRates(ctx context.Context, set data.Dataset, o PicturesOptions, workers int) ([]float64, error) {
	mean, std, err := data.Normalization(set.Name())
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	loader, err := data.NewLoader(set, data.LoaderOptions{
		Batch: o.Batch, Seed: 1, Workers: workers, Shuffle: true,
		Augment: data.Augment{Resized: data.ImageNetCrop, Flip: true, Mean: mean, Std: std},
	})
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	var samples []float64
	for epoch := range o.Repeats + 1 {
		rate, err := epochRate(ctx, loader, epoch)
		if err != nil {
			return nil, fmt.Errorf("bench: loader: %w", err)
		}
		if epoch > 0 {
			samples = append(samples, rate)
		}
	}
	return samples, nil
}

// FindPillow finds an interpreter that can import Pillow, "" where there is none.
func FindPillow(ctx context.Context, program string) string {
	for _, name := range []string{program, os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		if name != "" && exec.CommandContext(ctx, name, "-c", "import PIL.Image").Run() == nil {
			return name
		}
	}
	return ""
}

// pillowScript decodes files from memory and prints files a second, a list in JSON.
const pillowScript = `
import io, json, sys, time
import PIL.Image
repeats = int(sys.argv[1])
files = [open(name, "rb").read() for name in sys.stdin.read().split("\0")]
rates = []
for run in range(repeats + 1):
    began = time.perf_counter()
    for content in files:
        try:
            PIL.Image.open(io.BytesIO(content)).load()
        except Exception:
            pass
    rates.append(len(files) / (time.perf_counter() - began))
print(json.dumps(rates[1:]))
`

// pillowRates are files a second that Pillow decodes, on one thread.
func pillowRates(ctx context.Context, python string, paths []string, repeats int) ([]float64, error) {
	var problem tail
	c := exec.CommandContext(ctx, python, "-c", pillowScript, strconv.Itoa(repeats))
	c.Stdin, c.Stderr = strings.NewReader(strings.Join(paths, "\x00")), &problem
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("bench: Pillow: %s", problem.orElse(err.Error()))
	}
	var rates []float64
	if err := json.Unmarshal(text, &rates); err != nil || len(rates) == 0 {
		return nil, fmt.Errorf("bench: Pillow: no rates in %q", text)
	}
	return rates, nil
}
