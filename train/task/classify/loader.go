package classify

import (
	"context"
	"fmt"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// feed serves the batches of a loader: with their pixels, or, where the data set lies on
// the device already, with the numbers of its images and the choices of their
// augmentation. Both give the same images, bit for bit.
type feed struct {
	loader   *data.Loader
	size     int       // images of a full batch
	plain    bool      // for the inference form: time stays an axis of its own
	resident *resident // nil: batches bring their pixels
	warn     func()    // of images that could not be read; may be nil
}

// resident is a data set on the device.
type resident struct {
	scope          *torch.Scope
	pixels, labels torch.Tensor // uint8 [M, C, H, W] and int64 [M]
	tables         torch.Tensor // float32 [C, 256]
	height, width  int          // of the network's input
	cutout         int
}

// residentShare is the part of the device's free memory that a data set may take.
const residentShare = 4

// newFeed decides where the data set is kept, after data.resident.
func newFeed(c *config.Config, d torch.Device, loader *data.Loader, size int) (*feed, error) {
	f := &feed{loader: loader, size: min(size, loader.Set().Len())}
	if _, onDemand := loader.Set().(data.Cropper); onDemand {
		if c.Data.Resident == "on" {
			return nil, fmt.Errorf("%w: data.resident = on: the images of %s are decoded anew for each epoch; set it to auto", config.ErrInvalid, loader.Set().Name())
		}
		return f, nil
	}
	switch c.Data.Resident {
	case "off":
		return f, nil
	case "on":
	default:
		if !torch.IsCUDA(d) {
			return f, nil
		}
		memory, err := torch.DeviceMemory(d)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		if bytesOf(loader.Set()) > memory.Free/residentShare {
			return f, nil
		}
	}
	var err error
	if f.resident, err = newResident(d, loader); err != nil {
		return nil, err
	}
	f.loader = loader.Planned()
	return f, nil
}

// bytesOf is the size of a set's pixels.
func bytesOf(set data.Dataset) int64 {
	c, h, w := set.Shape()
	return int64(set.Len()) * int64(c) * int64(h) * int64(w)
}

// newResident copies the set of a loader to the device.
func newResident(d torch.Device, loader *data.Loader) (*resident, error) {
	set, transform := loader.Set(), loader.Transform()
	c, h, w := set.Shape()
	image, n := c*h*w, set.Len()
	pixels, labels := make([]byte, n*image), make([]int64, n)
	for i := range n {
		label, err := set.Image(i, pixels[i*image:(i+1)*image])
		if err != nil {
			return nil, fmt.Errorf("train: data on the device: %w", err)
		}
		labels[i] = int64(label)
	}
	s := torch.NewInference()
	r := &resident{scope: s, cutout: transform.Cutout()}
	_, r.height, r.width = transform.Shape()
	r.pixels = s.To(torch.FromSlice(s, pixels, int64(n), int64(c), int64(h), int64(w)), d)
	r.labels = s.To(torch.FromSlice(s, labels, int64(n)), d)
	r.tables = s.To(torch.FromSlice(s, transform.Tables(), int64(c), 256), d)
	if err := s.Err(); err != nil {
		s.Close()
		return nil, fmt.Errorf("train: data on the device: %w", err)
	}
	return r, nil
}

// Batches is the number of batches of an epoch.
func (f *feed) Batches() int { return f.loader.Batches() }

// Size is the number of images of a full batch.
func (f *feed) Size() int { return f.size }

// Warn tells of images that could not be read.
func (f *feed) Warn() {
	if f.warn != nil {
		f.warn()
	}
}

// Epoch begins an epoch.
func (f *feed) Epoch(ctx context.Context, epoch, first int) task.Batches {
	return task.NewBatches(f.loader.Epoch(ctx, epoch, first), func(b *data.Batch) *task.Batch {
		n := int64(b.N)
		if f.resident != nil {
			return &task.Batch{N: b.N, Arrays: []task.Array{
				task.NewArray(b.Indices, n), task.NewArray(flatChoices(b.Choices), n, choiceSize),
			}}
		}
		return &task.Batch{N: b.N, Arrays: []task.Array{
			task.NewArray(b.Images, n, int64(b.C), int64(b.H), int64(b.W)), task.NewArray(b.Labels, n),
		}}
	})
}

// Tensors makes the images [N, C, H, W], of stacks [T*N, C, H, W] (plain: [N, T, C, H,
// W]), and the labels [N].
func (f *feed) Tensors(s *torch.Scope, uploaded []torch.Tensor, n int) task.Tensors {
	images, labels := uploaded[0], uploaded[1]
	if r := f.resident; r != nil {
		images = s.Tensor("spikedhs::augment", r.pixels, uploaded[0], uploaded[1], r.tables, r.height, r.width, r.cutout)
	}
	if f.plain {
		images = withTime(s, f.loader.Set(), images)
	} else {
		images = forTraining(s, f.loader.Set(), images)
	}
	if r := f.resident; r != nil {
		labels = s.Tensor("aten::index_select", r.labels, 0, uploaded[0])
	}
	return task.Tensors{Inputs: []torch.Tensor{images}, Target: labels, N: n}
}

// choiceSize is how many numbers spikedhs::augment takes for an image.
const choiceSize = 5

// flatChoices lays choices out as spikedhs::augment reads them.
func flatChoices(list []data.Choices) []int32 {
	flat := make([]int32, 0, choiceSize*len(list))
	for _, c := range list {
		flip := int32(0)
		if c.Flip {
			flip = 1
		}
		flat = append(flat, int32(c.Top), int32(c.Left), flip, int32(c.Row), int32(c.Col))
	}
	return flat
}

// Close frees the data set on the device.
func (f *feed) Close() error {
	if f.resident == nil {
		return nil
	}
	return f.resident.scope.Close()
}
