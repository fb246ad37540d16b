package train

import (
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// memory is what a run has needed so far: the peak of this process and, on CUDA,
// of the tensors on the device in the epoch that ends. Every record of a step
// holds what is in use then (rss_mb).
type memory struct {
	process, device, devicePeak float64 // megabytes; 0: not known
}

// memoryOf asks the system and the device, and starts a new peak on the device.
func memoryOf(d torch.Device) (memory, error) {
	m := memory{process: run.PeakMegabytes()}
	on, err := torch.DeviceMemory(d)
	if err != nil {
		return memory{}, fmt.Errorf("train: %w", err)
	}
	const megabyte = 1 << 20
	m.device, m.devicePeak = float64(on.Allocated)/megabyte, float64(on.Peak)/megabyte
	if err := torch.ResetPeakMemory(d); err != nil {
		return memory{}, fmt.Errorf("train: %w", err)
	}
	return m, nil
}

// fields are for metrics.jsonl; they belong to the machine, not to the result.
func (m memory) fields() []run.Field {
	var list []run.Field
	for _, f := range []struct {
		name  string
		value float64
	}{{"peak_rss_mb", m.process}, {"device_mb", m.device}, {"device_peak_mb", m.devicePeak}} {
		if f.value > 0 {
			list = append(list, run.Wall(f.name, f.value))
		}
	}
	return list
}

// String is for the line that ends an epoch.
func (m memory) String() string {
	switch {
	case m.devicePeak > 0:
		return fmt.Sprintf(", memory %.2f GB on the device, %.2f GB beside it", m.devicePeak/1024, m.process/1024)
	case m.process > 0:
		return fmt.Sprintf(", memory %.2f GB", m.process/1024)
	}
	return ""
}
