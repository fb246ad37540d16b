package torch

// Fixed makes a tensor that a network computes with and that never changes, such as an
// index or a table. It is copied to the device here, once, so that no step copies it,
// and lives as long as the variables below p. It is none of them: no checkpoint has it.
func Fixed[E Element](p Path, values []E, shape ...int64) Tensor {
	s := p.variables.scope.Child()
	defer s.Close()
	return s.Return(s.To(FromSlice(s, values, shape...), p.variables.device))
}
