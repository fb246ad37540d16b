package train

import (
	"fmt"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// batch is a batch on the device.
type batch struct {
	images, labels torch.Tensor
	n              int
}

// toDevice copies a batch into tensors.
func toDevice(s *torch.Scope, d torch.Device, b *data.Batch) *batch {
	return &batch{
		images: torch.Upload(s, d, b.Images, int64(b.N), int64(b.C), int64(b.H), int64(b.W)),
		labels: torch.Upload(s, d, b.Labels, int64(b.N)),
		n:      b.N,
	}
}

// feed brings the batches of a loader to the device: with their pixels, or, where
// the data set lies there already, as the numbers of its images and the choices
// of their augmentation. Both give the same images, bit for bit.
type feed struct {
	device   torch.Device
	loader   *data.Loader
	size     int       // images of a full batch
	resident *resident // nil: batches bring their pixels
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
	f := &feed{device: d, loader: loader, size: min(size, loader.Set().Len())}
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

// upload copies what the host knows of a batch into new tensors.
func (f *feed) upload(s *torch.Scope, b *data.Batch) []torch.Tensor {
	if f.resident == nil {
		whole := toDevice(s, f.device, b)
		return []torch.Tensor{whole.images, whole.labels}
	}
	return []torch.Tensor{
		torch.Upload(s, f.device, b.Indices, int64(b.N)),
		torch.Upload(s, f.device, flatChoices(b.Choices), int64(b.N), choiceSize),
	}
}

// overwrite puts another batch into the tensors of upload.
func (f *feed) overwrite(s *torch.Scope, tensors []torch.Tensor, b *data.Batch) {
	if f.resident == nil {
		torch.Overwrite(s, tensors[0], b.Images)
		torch.Overwrite(s, tensors[1], b.Labels)
		return
	}
	torch.Overwrite(s, tensors[0], b.Indices)
	torch.Overwrite(s, tensors[1], flatChoices(b.Choices))
}

// batch makes the network's input of the tensors of upload, on the device alone.
func (f *feed) batch(s *torch.Scope, tensors []torch.Tensor, n int) *batch {
	r := f.resident
	if r == nil {
		return &batch{images: forTraining(s, f.loader.Set(), tensors[0]), labels: tensors[1], n: n}
	}
	images := s.Tensor("spikedhs::augment", r.pixels, tensors[0], tensors[1], r.tables, r.height, r.width, r.cutout)
	return &batch{
		images: forTraining(s, f.loader.Set(), images),
		labels: s.Tensor("aten::index_select", r.labels, 0, tensors[0]),
		n:      n,
	}
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

// close frees the data set on the device.
func (f *feed) close() error {
	if f == nil || f.resident == nil {
		return nil
	}
	return f.resident.scope.Close()
}
