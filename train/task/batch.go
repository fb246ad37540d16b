package task

import "github.com/spikedhs/spikedhs/torch"

// Batch is a batch on the host: the arrays that go to the device.
type Batch struct {
	// N is the number of examples.
	N int
	// Arrays are uploaded in this order.
	Arrays []Array
	// Source is the batch of the task's own loader.
	Source any

	release func()
}

// Release gives the memory of the batch back to its loader.
func (b *Batch) Release() {
	if b.release != nil {
		b.release()
	}
}

// Array is values on the host and their shape on the device.
type Array struct {
	upload    func(s *torch.Scope, d torch.Device) torch.Tensor
	overwrite func(s *torch.Scope, t torch.Tensor)
}

// NewArray makes an array of values in C order.
func NewArray[E torch.Element](values []E, shape ...int64) Array {
	return Array{
		upload:    func(s *torch.Scope, d torch.Device) torch.Tensor { return torch.Upload(s, d, values, shape...) },
		overwrite: func(s *torch.Scope, t torch.Tensor) { torch.Overwrite(s, t, values) },
	}
}

// Upload copies the arrays to new tensors on a device.
func (b *Batch) Upload(s *torch.Scope, d torch.Device) []torch.Tensor {
	list := make([]torch.Tensor, len(b.Arrays))
	for i, a := range b.Arrays {
		list[i] = a.upload(s, d)
	}
	return list
}

// Overwrite puts the arrays into the tensors of an Upload of as many examples.
func (b *Batch) Overwrite(s *torch.Scope, tensors []torch.Tensor) {
	for i, a := range b.Arrays {
		a.overwrite(s, tensors[i])
	}
}

// Tensors are a batch on the device as a model takes it.
type Tensors struct {
	Inputs []torch.Tensor
	Target torch.Tensor
	N      int // examples
}
