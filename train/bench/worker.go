package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// The answers of a worker; the scripts give the same.
type (
	ready struct {
		Torch string `json:"torch"`
	}
	timed struct {
		Seconds float64 `json:"seconds"`
	}
	ended struct {
		PeakRSSMB    float64 `json:"peak_rss_mb"`
		PeakDeviceMB float64 `json:"peak_device_mb,omitempty"`
		FiringRate   float64 `json:"firing_rate,omitempty"`
	}
)

// Work is our side of a case, in a process of its own: it builds the case and
// answers the numbers of steps that it reads with the seconds they took, until in
// ends.
func Work(ctx context.Context, c Case, in io.Reader, out io.Writer) (err error) {
	defer torch.Pin()()
	w, err := newWorkload(c)
	if err != nil {
		return err
	}
	device, err := torch.ParseDevice(c.Device)
	if err != nil {
		return errors.Join(err, w.close())
	}
	defer func() { err = errors.Join(err, w.close()) }()
	answer := json.NewEncoder(out)
	if err := answer.Encode(ready{torch.Version()}); err != nil {
		return fmt.Errorf("bench: answer: %w", err)
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		steps, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil || steps < 1 {
			return fmt.Errorf("bench: %q is no number of steps", lines.Text())
		}
		seconds, err := timeSteps(ctx, device, steps, w.step)
		if err != nil {
			return err
		}
		if err := answer.Encode(timed{seconds}); err != nil {
			return fmt.Errorf("bench: answer: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("bench: read: %w", err)
	}
	last := ended{PeakRSSMB: run.PeakMegabytes()}
	if torch.IsCUDA(device) {
		memory, err := torch.DeviceMemory(device)
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		last.PeakDeviceMB = float64(memory.Peak) / (1 << 20)
	}
	if f, ok := w.(firing); ok {
		if last.FiringRate, err = f.firingRate(); err != nil {
			return err
		}
	}
	return answer.Encode(last)
}
