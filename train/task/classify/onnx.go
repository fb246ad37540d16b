package classify

import (
	"fmt"
	"io"

	"github.com/spikedhs/spikedhs/search/export/onnxruntime"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// forward computes logits from images.
type forward func(s *torch.Scope, images ...torch.Tensor) torch.Tensor

// openForward opens an exported model: the script of an archive on a device, or an ONNX
// model in ONNX Runtime.
func openForward(path string, d torch.Device) (forward, io.Closer, error) {
	if task.IsONNX(path) {
		session, err := onnxruntime.Open(path, torch.Threads())
		if err != nil {
			return nil, nil, err
		}
		return inONNXRuntime(session), session, nil
	}
	script, err := torch.LoadScript(path, d)
	if err != nil {
		return nil, nil, err
	}
	return script.Forward, script, nil
}

// inONNXRuntime runs a session on tensors; the logits lie on the CPU.
func inONNXRuntime(session *onnxruntime.Session) forward {
	return func(s *torch.Scope, images ...torch.Tensor) torch.Tensor {
		pixels, err := torch.ToSlice[float32](images[0])
		if err != nil {
			s.Fail(err)
			return torch.Tensor{}
		}
		out, err := session.Run(onnxruntime.Tensor{Shape: s.Shape(images[0]), Values: pixels})
		if err != nil {
			s.Fail(err)
			return torch.Tensor{}
		}
		return torch.FromSlice(s, out[0].Values, out[0].Shape...)
	}
}

// loadONNX reads an ONNX model with our description.
func loadONNX(path string) (*Model, error) {
	session, err := onnxruntime.Open(path, torch.Threads())
	if err != nil {
		return nil, err
	}
	m := &Model{device: torch.CPU(), exported: session, run: inONNXRuntime(session)}
	text, found, err := session.Metadata(task.InfoFile)
	switch {
	case err != nil:
	case !found:
		err = fmt.Errorf("%w: %s has no %s in its metadata", ErrModel, path, task.InfoFile)
	default:
		err = m.describe(path, text)
	}
	if err == nil && m.Info.Kind != "" {
		err = fmt.Errorf("%w for images: %s holds a %s network", ErrModel, path, m.Info.Kind)
	}
	if err != nil {
		session.Close()
		return nil, err
	}
	return m, nil
}
