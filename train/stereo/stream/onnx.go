package stream

import (
	"io"

	"github.com/spikedhs/spikedhs/search/export/onnx"
	"github.com/spikedhs/spikedhs/search/export/onnxruntime"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// openWindow opens an exported model for one window of stacks [T, C, H, W] from rest: its
// disparities, step after step.
func (m *Model) openWindow(path string) (func(s *torch.Scope, left, right torch.Tensor) ([]float32, error), io.Closer, error) {
	if task.IsONNX(path) {
		session, err := onnxruntime.Open(path, torch.Threads())
		if err != nil {
			return nil, nil, err
		}
		return func(s *torch.Scope, left, right torch.Tensor) ([]float32, error) {
			return m.inONNXRuntime(session, s, left, right)
		}, session, nil
	}
	script, err := torch.LoadScript(path, m.device)
	if err != nil {
		return nil, nil, err
	}
	return func(s *torch.Scope, left, right torch.Tensor) ([]float32, error) {
		window := append([]int64{int64(m.Info.Steps), 1}, s.Shape(left)[1:]...)
		return torch.ToSlice[float32](script.Forward(s, s.Reshape(left, window...), s.Reshape(right, window...)))
	}, script, nil
}

// inONNXRuntime runs a window step by step, each with the membranes of the one before.
func (m *Model) inONNXRuntime(session *onnxruntime.Session, s *torch.Scope, left, right torch.Tensor) ([]float32, error) {
	shape := s.Shape(left)
	shape[0] = 1
	inputs := make([]onnxruntime.Tensor, 2, len(session.Inputs))
	for _, size := range onnx.State(m.program.Program, 1, m.Info.Height, m.Info.Width) {
		n := int64(1)
		for _, k := range size {
			n *= k
		}
		inputs = append(inputs, onnxruntime.Tensor{Shape: size, Values: make([]float32, n)})
	}
	var disparities []float32
	for t := range m.Info.Steps {
		for i, view := range []torch.Tensor{left, right} {
			values, err := torch.ToSlice[float32](s.Narrow(view, 0, t, 1))
			if err != nil {
				return nil, err
			}
			inputs[i] = onnxruntime.Tensor{Shape: shape, Values: values}
		}
		outputs, err := session.Run(inputs...)
		if err != nil {
			return nil, err
		}
		disparities = append(disparities, outputs[0].Values...)
		copy(inputs[2:], outputs[1:])
	}
	return disparities, nil
}
