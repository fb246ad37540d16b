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
	"github.com/spikedhs/spikedhs/train/run"
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
	// Rate is files a second by the clock, the median.
	Rate float64 `json:"rate_per_s"`
	// RatePerCore is files for a second of computing, the median: what one core does
	// that nobody else uses. Garbage collection is counted. Where the system does not
	// tell, it is Rate by the number of workers.
	RatePerCore float64   `json:"rate_per_s_and_core"`
	MegabytesS  float64   `json:"megabytes_per_s_and_core"` // of files
	Spread      float64   `json:"spread"`                   // of RatePerCore
	Samples     []float64 `json:"samples"`                  // of RatePerCore
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
	row := func(way string, workers int, passes []pass) PictureRow {
		var wall, core []float64
		for _, p := range passes {
			wall, core = append(wall, float64(n)/p.wall), append(core, float64(n)/p.computing)
		}
		perCore := median(core)
		return PictureRow{
			Bench: "pictures", Way: way, Files: n, Size: o.Size, Workers: workers, Rate: median(wall), RatePerCore: perCore,
			MegabytesS: perCore * float64(total) / float64(n) / 1e6, Spread: spread(core), Samples: core,
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

// pass is the time that one pass over all files took, in seconds: by the clock, and
// what the process computed.
type pass struct{ wall, computing float64 }

// timePasses does a pass over all files of so many workers once to warm up and then as
// often as asked for. work is told the number of the pass.
func timePasses(repeats, workers int, work func(pass int) error) ([]pass, error) {
	var list []pass
	for i := range repeats + 1 {
		before, known := run.ProcessorTime()
		began := time.Now()
		if err := work(i); err != nil {
			return nil, err
		}
		p := pass{wall: time.Since(began).Seconds()}
		p.computing = p.wall * float64(workers)
		if after, ok := run.ProcessorTime(); known && ok && after > before {
			p.computing = after - before
		}
		list = append(list, p)
	}
	return list[1:], nil
}

// oneCore measures what needs one core of Go.
func oneCore(ctx context.Context, set data.Cropper, contents [][]byte, o PicturesOptions) (rates map[string][]pass, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rates = map[string][]pass{}
	var rng rand.PCG
	crop := make([]byte, 3*o.Size*o.Size)
	for way, do := range map[string]func(k int) error{
		WayGo: func(k int) error {
			// A file that is no JPEG, or is damaged, is as fast as it fails.
			_, err := jpeg.Decode(bytes.NewReader(contents[k]))
			var format jpeg.FormatError
			var unsupported jpeg.UnsupportedError
			if errors.As(err, &format) || errors.As(err, &unsupported) {
				return nil
			}
			return err
		},
		WayCrop: func(k int) error {
			rng.Seed(1, uint64(k))
			_, err := set.Crop(k, data.ImageNetCrop, &rng, crop)
			return err
		},
	} {
		rates[way], err = timePasses(o.Repeats, 1, func(int) error {
			for k := range contents {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := do(k); err != nil {
					return fmt.Errorf("bench: %s: %w", way, err)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	rates[WayLoader], err = pictureLoaderRates(ctx, set, o, 1)
	return rates, err
}

// pictureLoaderRates are passes of the loader.
func pictureLoaderRates(ctx context.Context, set data.Dataset, o PicturesOptions, workers int) ([]pass, error) {
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
	return timePasses(o.Repeats, workers, func(epoch int) error {
		if _, err := epochRate(ctx, loader, epoch); err != nil {
			return fmt.Errorf("bench: loader: %w", err)
		}
		return nil
	})
}

// FindPillow finds an interpreter that can import Pillow, "" where there is none.
func FindPillow(ctx context.Context, program string) string {
	for _, name := range append([]string{program}, interpreters()...) {
		if name != "" && exec.CommandContext(ctx, name, "-c", "import PIL.Image").Run() == nil {
			return name
		}
	}
	return ""
}

// pillowScript decodes files from memory and prints the seconds of each pass, by the
// clock and of computing, as JSON.
const pillowScript = `
import io, json, sys, time
import PIL.Image
repeats = int(sys.argv[1])
files = [open(name, "rb").read() for name in sys.stdin.read().split("\0")]
passes = []
for run in range(repeats + 1):
    began, before = time.perf_counter(), time.process_time()
    for content in files:
        try:
            PIL.Image.open(io.BytesIO(content)).load()
        except Exception:
            pass
    passes.append([time.perf_counter() - began, time.process_time() - before])
print(json.dumps(passes[1:]))
`

// pillowRates are passes of Pillow, on one thread.
func pillowRates(ctx context.Context, python string, paths []string, repeats int) ([]pass, error) {
	text, err := answerOf(ctx, "", strings.NewReader(strings.Join(paths, "\x00")), python, "-c", pillowScript, strconv.Itoa(repeats))
	if err != nil {
		return nil, fmt.Errorf("bench: Pillow: %w", err)
	}
	var seconds [][2]float64
	if err := json.Unmarshal(text, &seconds); err != nil || len(seconds) == 0 {
		return nil, fmt.Errorf("bench: Pillow: no times in %q", text)
	}
	var passes []pass
	for _, s := range seconds {
		passes = append(passes, pass{s[0], s[1]})
	}
	return passes, nil
}
