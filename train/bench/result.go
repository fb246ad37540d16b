package bench

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// Row is what one implementation reached in a case.
type Row struct {
	Bench string `json:"bench"`
	Setting
	// Rate is the median of Samples, images a second; Spread is the distance
	// between the largest and the smallest over it.
	Rate    float64   `json:"rate_per_s"`
	Spread  float64   `json:"spread"`
	Samples []float64 `json:"samples,omitempty"`
	// PeakRSSMB is the most memory that the process had in RAM, MiB.
	PeakRSSMB float64 `json:"peak_rss_mb"`
	// PeakDeviceMB is the most that tensors held of a CUDA device's memory, MiB.
	PeakDeviceMB float64 `json:"peak_device_mb,omitempty"`
	// FiringRate is the share of neurons that fire in a time step; inference only.
	FiringRate float64 `json:"firing_rate,omitempty"`
	Torch      string  `json:"torch"`
	// Error says why there is no rate.
	Error string `json:"error,omitempty"`
}

// Pair is our Row over that of another implementation.
type Pair struct {
	Bench string `json:"bench"`
	// Setting is ours; nodes and the shape of two views are left out.
	Setting
	Over string `json:"over"`
	// OverPrecision is that of the other.
	OverPrecision string `json:"over_precision"`
	// OverDevice is that of the other, where it is another one.
	OverDevice string `json:"over_device,omitempty"`
	// Ratio is our median rate over the other's: above 1 we are faster.
	Ratio float64 `json:"ratio"`
	// MemoryRatio is our peak memory over the other's: below 1 we need less.
	// DeviceMemoryRatio is that of a CUDA device's memory.
	MemoryRatio       float64 `json:"memory_ratio,omitempty"`
	DeviceMemoryRatio float64 `json:"device_memory_ratio,omitempty"`
}

// row is an empty row of a case.
func (c Case) row() Row { return Row{Bench: string(c.Task), Setting: c.Setting} }

// over compares two rows of a case; ok is false where one has no rate.
func (r Row) over(other Row) (p Pair, ok bool) {
	if r.Rate == 0 || other.Rate == 0 {
		return Pair{}, false
	}
	p = Pair{Bench: r.Bench, Setting: r.Setting, Over: other.Impl, OverPrecision: other.Precision, Ratio: r.Rate / other.Rate}
	p.Nodes, p.Shape = 0, Shape{}
	if r.PeakRSSMB > 0 && other.PeakRSSMB > 0 {
		p.MemoryRatio = r.PeakRSSMB / other.PeakRSSMB
	}
	if r.PeakDeviceMB > 0 && other.PeakDeviceMB > 0 {
		p.DeviceMemoryRatio = r.PeakDeviceMB / other.PeakDeviceMB
	}
	if r.Device != other.Device {
		p.OverDevice = other.Device
	}
	return p, true
}

// median of at least one sample; of an even number the mean of the two in the
// middle.
func median(samples []float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread is the distance between the largest and the smallest sample over the
// median.
func spread(samples []float64) float64 {
	m := median(samples)
	if m == 0 {
		return 0
	}
	return (slices.Max(samples) - slices.Min(samples)) / m
}

// LoadAverage is the number of processes that ran in the last minute, on average; false
// where the system does not tell.
func LoadAverage() (float64, bool) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(text), " ")
	average, err := strconv.ParseFloat(first, 64)
	return average, err == nil
}

// firstToGo makes a process the first that the system ends when memory runs out,
// so that a large case does not take other programs with it.
func firstToGo(pid int) {
	// Where that is forbidden the system chooses for itself.
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("1000"), 0o644)
}
