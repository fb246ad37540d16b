package task

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// Loader brings batches to a device: what is in them, or, where the data set lies on the
// device already, the numbers of its examples and the choices of their augmentation. Both
// give the same tensors, bit for bit.
type Loader struct {
	*data.Loader
	// Reshape, where given, makes what a model takes of the inputs, on the device alone.
	Reshape func(*torch.Scope, torch.Tensor) torch.Tensor
	// Warn tells of examples that could not be read so far. Default: nothing.
	Warn func()

	resident *resident // nil: batches bring their inputs
}

// NewLoader serves what lies with the host.
func NewLoader(l *data.Loader) *Loader { return &Loader{Loader: l, Warn: func() {}} }

// Tensors are a batch on the device as a model takes it.
type Tensors struct {
	Inputs []torch.Tensor
	Target torch.Tensor
	N      int // examples
}

// array is values on the host and their shape on the device.
type array struct {
	upload    func(s *torch.Scope, d torch.Device) torch.Tensor
	overwrite func(s *torch.Scope, t torch.Tensor)
}

func newArray[E torch.Element](values []E, shape ...int) array {
	return array{
		upload:    func(s *torch.Scope, d torch.Device) torch.Tensor { return torch.Upload(s, d, values, sizes(shape)...) },
		overwrite: func(s *torch.Scope, t torch.Tensor) { torch.Overwrite(s, t, values) },
	}
}

func sizes(shape []int) []int64 {
	list := make([]int64, len(shape))
	for i, n := range shape {
		list[i] = int64(n)
	}
	return list
}

// arrays are what of a batch goes to the device, in this order.
func (l *Loader) arrays(b *data.Batch) []array {
	if l.resident != nil {
		return []array{newArray(b.Indices, b.N), newArray(flatChoices(b.Choices), b.N, choiceSize)}
	}
	var list []array
	for _, input := range b.Inputs {
		list = append(list, newArray(input, b.T*b.N, b.C, b.H, b.W))
	}
	if b.Truth != nil {
		return append(list, newArray(b.Truth, b.T*b.N, b.H, b.W))
	}
	return append(list, newArray(b.Labels, b.N))
}

// Upload copies a batch to new tensors on a device.
func (l *Loader) Upload(s *torch.Scope, d torch.Device, b *data.Batch) []torch.Tensor {
	var list []torch.Tensor
	for _, a := range l.arrays(b) {
		list = append(list, a.upload(s, d))
	}
	return list
}

// Overwrite puts a batch into the tensors of an Upload of as many examples.
func (l *Loader) Overwrite(s *torch.Scope, b *data.Batch, tensors []torch.Tensor) {
	for i, a := range l.arrays(b) {
		a.overwrite(s, tensors[i])
	}
}

// Tensors makes what a model takes of an uploaded batch of n examples, on the device
// alone: of images [N, C, H, W] and their labels [N], of windows [T*N, C, H, W] and their
// truth [T*N, H, W].
func (l *Loader) Tensors(s *torch.Scope, uploaded []torch.Tensor, n int) Tensors {
	last := len(uploaded) - 1
	x := Tensors{Inputs: append([]torch.Tensor{}, uploaded[:last]...), Target: uploaded[last], N: n}
	if l.resident != nil {
		x.Inputs, x.Target = l.resident.tensors(s, uploaded[0], uploaded[1])
	}
	for i := range x.Inputs {
		if l.Reshape != nil {
			x.Inputs[i] = l.Reshape(s, x.Inputs[i])
		}
	}
	return x
}

// residentShare is the part of the device's free memory that a data set may take.
const residentShare = 4

// Keep puts the data set on a device where data.resident says so.
func (l *Loader) Keep(d torch.Device, c *config.Data) error {
	bytes := l.Examples().Bytes()
	switch {
	case c.Resident == "off":
		return nil
	case bytes < 0 && c.Resident == "on":
		return fmt.Errorf("%w: data.resident = on: the %s of %s are decoded anew for each epoch; set it to auto",
			config.ErrInvalid, l.Examples().Noun(), l.Examples().Name())
	case bytes < 0:
		return nil
	case c.Resident != "on":
		if !torch.IsCUDA(d) {
			return nil
		}
		memory, err := torch.DeviceMemory(d)
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		if bytes > memory.Free/residentShare {
			return nil
		}
	}
	r, err := newResident(d, l.Examples())
	if err != nil {
		return fmt.Errorf("train: data on the device: %w", err)
	}
	l.resident, l.Loader = r, l.Planned()
	return nil
}

// Close frees the data set on the device.
func (l *Loader) Close() error {
	if l.resident == nil {
		return nil
	}
	return l.resident.scope.Close()
}

// Each calls use with the batches of an epoch on a device, from one on, as long as it
// wants more, and frees them.
func Each(ctx context.Context, l *Loader, d torch.Device, epoch, first int, use func(s *torch.Scope, b *data.Batch, x Tensors) (more bool, err error)) error {
	batches := l.Epoch(ctx, epoch, first)
	defer batches.Close()
	for {
		b, err := batches.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s, more := torch.NewInference(), false
		x := l.Tensors(s, l.Upload(s, d, b), b.N)
		if err = s.Err(); err == nil {
			more, err = use(s, b, x)
		}
		b.Release()
		if failed := s.Close(); failed != nil {
			err = failed // the cause of what use saw
		}
		if err != nil || !more {
			return err
		}
	}
}

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
