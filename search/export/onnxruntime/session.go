package onnxruntime

import (
	"errors"
	"fmt"
	"slices"

	ort "github.com/yalue/onnxruntime_go"
)

// Tensor is a tensor of float32, the last dimension fastest.
type Tensor struct {
	Shape  []int64
	Values []float32
}

// Session is a model that is ready to run, on the CPU. Calls must not overlap.
type Session struct {
	// Inputs and Outputs are the model's, in its order. Free dimensions are -1.
	Inputs, Outputs []Info

	path    string
	session *ort.DynamicAdvancedSession
}

// Info is a name and a shape.
type Info struct {
	Name  string
	Shape []int64
}

// Open reads a model. threads of 0 are all cores.
func Open(path string, threads int) (*Session, error) {
	if err := start(); err != nil {
		return nil, err
	}
	wrap := func(err error) error { return fmt.Errorf("onnxruntime: open %s: %w", path, err) }
	inputs, outputs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, wrap(err)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, wrap(err)
	}
	defer options.Destroy()
	if err := errors.Join(options.SetIntraOpNumThreads(threads), options.SetInterOpNumThreads(1)); err != nil {
		return nil, wrap(err)
	}
	s := &Session{path: path, Inputs: infos(inputs), Outputs: infos(outputs)}
	s.session, err = ort.NewDynamicAdvancedSession(path, names(s.Inputs), names(s.Outputs), options)
	if err != nil {
		return nil, wrap(err)
	}
	return s, nil
}

func infos(list []ort.InputOutputInfo) []Info {
	var result []Info
	for _, i := range list {
		result = append(result, Info{i.Name, i.Dimensions})
	}
	return result
}

func names(list []Info) []string {
	var result []string
	for _, i := range list {
		result = append(result, i.Name)
	}
	return result
}

// Metadata is the text that the model carries under a key; false: it carries none.
func (s *Session) Metadata(key string) (string, bool, error) {
	m, err := s.session.GetModelMetadata()
	if err != nil {
		return "", false, fmt.Errorf("onnxruntime: metadata of %s: %w", s.path, err)
	}
	defer m.Destroy()
	text, found, err := m.LookupCustomMetadataMap(key)
	if err != nil {
		return "", false, fmt.Errorf("onnxruntime: metadata of %s: %w", s.path, err)
	}
	return text, found, nil
}

// Run computes the outputs from the inputs, both in the model's order.
func (s *Session) Run(inputs ...Tensor) (outputs []Tensor, err error) {
	fail := func(err error) ([]Tensor, error) { return nil, fmt.Errorf("onnxruntime: run %s: %w", s.path, err) }
	if len(inputs) != len(s.Inputs) {
		return fail(fmt.Errorf("%d inputs; it takes %d", len(inputs), len(s.Inputs)))
	}
	in := make([]ort.Value, len(inputs))
	out := make([]ort.Value, len(s.Outputs))
	defer func() {
		for _, v := range append(in, out...) {
			if v != nil {
				err = errors.Join(err, v.Destroy())
			}
		}
	}()
	for i, t := range inputs {
		v, err := ort.NewTensor(ort.NewShape(t.Shape...), t.Values)
		if err != nil {
			return fail(fmt.Errorf("input %s: %w", s.Inputs[i].Name, err))
		}
		in[i] = v
	}
	if err := s.session.Run(in, out); err != nil {
		return fail(err)
	}
	for i, v := range out {
		t, ok := v.(*ort.Tensor[float32])
		if !ok {
			return fail(fmt.Errorf("output %s is no tensor of float32", s.Outputs[i].Name))
		}
		outputs = append(outputs, Tensor{slices.Clone(t.GetShape()), slices.Clone(t.GetData())})
	}
	return outputs, nil
}

// Close frees the model.
func (s *Session) Close() error {
	if err := s.session.Destroy(); err != nil {
		return fmt.Errorf("onnxruntime: close %s: %w", s.path, err)
	}
	return nil
}
