package classify

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// eventOptions are what a configuration says about recordings, for networks of so
// many time steps.
func eventOptions(c *config.Config, steps int, log *slog.Logger) data.EventOptions {
	o := data.EventOptions{
		Stacks: events.Stacks{
			Steps: steps, Slice: events.Slicing(c.Data.Events), Kind: events.Kind(c.Data.Stack), Size: c.Data.Size,
		},
		Columns: c.Data.Columns, Log: log,
	}
	if len(c.Data.Sensor) == 2 {
		o.Width, o.Height = c.Data.Sensor[0], c.Data.Sensor[1]
	}
	return o
}

// openSet reads a split of the data set of a configuration: images, or stacks of
// so many time steps of recordings.
func openSet(ctx context.Context, c *config.Config, split data.Split, steps int, log *slog.Logger) (data.Dataset, error) {
	o := data.OpenOptions{Size: c.Data.Size, MaxCorrupt: c.Data.MaxCorrupt, Log: log, Events: eventOptions(c, steps, log)}
	if o.MaxCorrupt == 0 {
		o.MaxCorrupt = -1 // none may be
	}
	return data.OpenWith(ctx, c.Data.Name, c.Data.Path, split, o)
}

// withTime gives the images [N, T*C, H, W] of a set of stacks their time, [N, T, C,
// H, W]; those of other sets stay.
func withTime(s *torch.Scope, set data.Dataset, images torch.Tensor) torch.Tensor {
	timed, ok := data.AsTimed(set)
	if !ok {
		return images
	}
	steps := int64(timed.Steps())
	return s.Reshape(images, -1, steps, s.Size(images, 1)/steps, s.Size(images, 2), s.Size(images, 3))
}

// forTraining makes what a network reads of the images of a set: stacks become
// [T*N, C, H, W], time slowest.
func forTraining(s *torch.Scope, set data.Dataset, images torch.Tensor) torch.Tensor {
	if timed, ok := data.AsTimed(set); ok {
		return graph.TimeFirst(s, withTime(s, set, images), timed.Steps())
	}
	return images
}

// EventInput says how the recordings become the input of an exported model: float32
// stacks [N, T, C, H, W].
type EventInput struct {
	// Order names the axes of the input.
	Order string `json:"order"`
	// Slices is how the T steps are cut: "time" (equal durations) or "count" (equal
	// numbers of events).
	Slices string `json:"slices"`
	// Stack is what a step holds: "binary" (channel 0 ON, 1 OFF, values 0 and 1),
	// "counts" (the same, numbers of events) or "ternary" (one channel, -1, 0, 1).
	Stack string `json:"stack"`
	// Sensor is its width and height in pixels.
	Sensor [2]int `json:"sensor"`
	// Size is the side that the sensor is binned and cut or padded to, 0 for the
	// sensor's own.
	Size int `json:"size"`
	// Columns is the order of the columns of .npy and .txt files.
	Columns string `json:"columns"`
}

const eventOrder = "N,T,C,H,W"

// eventInput describes a set's stacks, nil where it holds images.
func eventInput(set data.Dataset) *EventInput {
	timed, ok := data.AsTimed(set)
	if !ok {
		return nil
	}
	recordings, ok := timed.(*data.EventSet)
	if !ok {
		return &EventInput{Order: eventOrder}
	}
	o := recordings.Options()
	columns := o.Columns
	if columns == "" {
		columns = "auto"
	}
	return &EventInput{
		Order: eventOrder, Slices: string(o.Slice), Stack: string(o.Kind), Sensor: [2]int{o.Width, o.Height},
		Size: o.Size, Columns: columns,
	}
}

// EventOptions are the options under which [data.StackFile] and [data.OpenEvents]
// make stacks for the model. It fails with [ErrModel] where the model takes images.
func (m ModelInfo) EventOptions() (data.EventOptions, error) {
	if m.Events == nil {
		return data.EventOptions{}, fmt.Errorf("%w that takes recordings of events: it takes images of %s", ErrModel, m.Dataset)
	}
	return data.EventOptions{
		Stacks: events.Stacks{
			Steps: m.Steps, Slice: events.Slicing(m.Events.Slices), Kind: events.Kind(m.Events.Stack), Size: m.Events.Size,
		},
		Width: m.Events.Sensor[0], Height: m.Events.Sensor[1], Columns: m.Events.Columns,
	}, nil
}

// shape is that of n inputs of the model.
func (m ModelInfo) shape(n int) []int64 {
	image := []int64{int64(m.Channels), int64(m.Height), int64(m.Width)}
	if m.Events != nil {
		image = append([]int64{int64(m.Steps)}, image...)
	}
	return append([]int64{int64(n)}, image...)
}

// sizes is the shape of one input for people, such as "1 x 28 x 28".
func (m ModelInfo) sizes() string {
	var list []string
	for _, n := range m.shape(1)[1:] {
		list = append(list, fmt.Sprint(n))
	}
	return strings.Join(list, " x ")
}
