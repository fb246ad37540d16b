package torch

// Upload copies values (C order) to a new tensor on a device. For a CUDA device
// they go through page-locked memory and nobody waits for the copy: values may be
// overwritten as soon as Upload returns, and what is done with the tensor later
// comes after the copy.
func Upload[E Element](s *Scope, d Device, values []E, shape ...int64) Tensor {
	if !IsCUDA(d) {
		return FromSlice(s, values, shape...)
	}
	c := s.WithoutGradient()
	defer c.Close()
	return c.Return(c.Tensor("aten::to.dtype_layout", pinned(c, values, shape),
		Named{"device", d}, Named{"non_blocking", true}))
}

// Overwrite copies values (C order) into dst, which has as many elements of the
// same type, in the way of [Upload].
func Overwrite[E Element](s *Scope, dst Tensor, values []E) {
	c := s.WithoutGradient()
	defer c.Close()
	shape := c.Shape(dst)
	if IsCUDA(c.Device(dst)) {
		c.Tensor("aten::copy_", dst, pinned(c, values, shape), true)
		return
	}
	c.CopyTo(dst, FromSlice(c, values, shape...))
}

// pinned copies values into page-locked memory. libtorch keeps that memory from
// being used again until the copies from it are done, also when s is closed.
func pinned[E Element](s *Scope, values []E, shape []int64) Tensor {
	return fromHost(s, "upload", true, values, shape)
}
