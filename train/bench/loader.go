package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// LoaderRow is how fast batches are prepared.
type LoaderRow struct {
	Bench     string `json:"bench"`
	Impl      string `json:"impl"`
	Precision string `json:"precision"` // of the batches
	Batch     int    `json:"batch"`
	Size      int    `json:"size"`
	Workers   int    `json:"workers"`
	// Rate is augmented images a second by one worker on one core, the median.
	Rate      float64   `json:"rate_per_s"`
	Spread    float64   `json:"spread"`
	Samples   []float64 `json:"samples"`
	PeakRSSMB float64   `json:"peak_rss_mb"`
	// TimesTraining is Rate over TrainRate, the images a second that training takes.
	TimesTraining float64 `json:"times_training,omitempty"`
	TrainRate     float64 `json:"train_rate_per_s,omitempty"`
}

// Against sets what the rate is compared with.
func (r *LoaderRow) Against(training Row) {
	if training.Rate > 0 {
		r.TrainRate, r.TimesTraining = training.Rate, r.Rate/training.Rate
	}
}

// Loader measures the loader with CIFAR-10's shape and the paper's whole
// augmentation (random crop, flip, normalisation, cutout) on noise in memory: one
// worker, and one core for it and its reader. While it runs, the whole program
// has one core for Go.
func Loader(ctx context.Context, batch, size, repeats int) (LoaderRow, error) {
	row := LoaderRow{Bench: "loader", Impl: Ours, Precision: string(search.Float32), Batch: batch, Size: size, Workers: 1}
	loader, err := noiseLoader(batch, size)
	if err != nil {
		return row, fmt.Errorf("bench: %w", err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for epoch := range max(repeats, 1) + 1 { // the first warms up
		rate, err := epochRate(ctx, loader, epoch)
		if err != nil {
			return row, fmt.Errorf("bench: loader: %w", err)
		}
		if epoch > 0 {
			row.Samples = append(row.Samples, rate)
		}
	}
	row.Rate, row.Spread, row.PeakRSSMB = median(row.Samples), spread(row.Samples), run.PeakMegabytes()
	return row, nil
}

// noiseImages is the length of the set, an epoch of a fifth of CIFAR-10's.
const noiseImages = 10_000

func noiseLoader(batch, size int) (*data.Loader, error) {
	cfg, err := config.Load(preset, nil)
	if err != nil {
		return nil, err
	}
	mean, std, err := data.Normalization(cfg.Data.Name)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	pixels := make([]byte, noiseImages*channels*size*size)
	for i := range pixels {
		pixels[i] = byte(rng.Uint32())
	}
	labels := make([]int, noiseImages)
	names := make([]string, classes)
	for i := range labels {
		labels[i] = i % classes
	}
	set, err := data.NewMemory("noise", names, channels, size, size, pixels, labels)
	if err != nil {
		return nil, err
	}
	return data.NewLoader(set, data.LoaderOptions{
		Batch: batch, Seed: 1, Workers: 1, Shuffle: true, DropLast: batch <= noiseImages, Augment: data.Augment{
			CropPadding: cfg.Train.CropPadding, Flip: cfg.Train.Flip, Cutout: cfg.Train.Cutout, Mean: mean, Std: std,
		},
	})
}

// epochRate is images a second over an epoch.
func epochRate(ctx context.Context, loader *data.Loader, epoch int) (float64, error) {
	batches := loader.Epoch(ctx, epoch, 0)
	defer batches.Close()
	images := 0
	began := time.Now()
	for {
		b, err := batches.Next()
		if errors.Is(err, io.EOF) {
			return float64(images) / time.Since(began).Seconds(), nil
		}
		if err != nil {
			return 0, err
		}
		images += b.N
		b.Release()
	}
}
