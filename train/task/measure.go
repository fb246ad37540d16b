package task

import (
	"context"
	"fmt"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
)

// Metrics sums up what is said of a network's output.
type Metrics interface {
	// Add takes a batch, on the host and on the device, with the output for it.
	Add(s *torch.Scope, b *data.Batch, x Tensors, output torch.Tensor) error
}

// Measure runs a network over all batches of a loader, once and in order, and adds them
// to metrics; tick, when given, is told how many examples each had.
func Measure(ctx context.Context, d torch.Device, l *Loader, forward func(*torch.Scope, Tensors) torch.Tensor, metrics Metrics, tick func(n int)) error {
	defer torch.Pin()()
	err := Each(ctx, l, d, 0, 0, func(s *torch.Scope, b *data.Batch, x Tensors) (bool, error) {
		output := forward(s, x)
		if err := metrics.Add(s, b, x, output); err != nil {
			return false, err
		}
		if tick != nil {
			tick(b.N)
		}
		return true, s.Err()
	})
	if err != nil {
		return fmt.Errorf("train: evaluate: %w", err)
	}
	return nil
}
