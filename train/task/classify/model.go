package classify

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// Model is an exported network, ready for images; the run folder is not needed.
// An archive that carries its list of instructions runs as [graph.Program]
// does, several times faster on a CPU than its script; others run as TorchScript.
type Model struct {
	Info ModelInfo

	// The program that an archive describes, else its script or ONNX Runtime.
	program  *graph.Program
	exported io.Closer
	run      forward
	device   torch.Device
}

// ErrModel is wrapped by errors about files that are no exported model.
var ErrModel = errors.New("not a model exported by spikedhs")

// LoadModel reads an exported model onto a device; an ONNX model runs on the CPU, where ONNX
// Runtime is found.
func LoadModel(path string, d torch.Device) (*Model, error) {
	if task.IsONNX(path) {
		return loadONNX(path)
	}
	text, err := torch.ScriptExtra(path, task.InfoFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	m := &Model{device: d}
	if kind, ok := task.ModelKind(path); ok && kind != "" {
		return nil, fmt.Errorf("%w for images: %s holds a %s network; use `spikedhs stream`", ErrModel, path, kind)
	}
	if err := m.describe(path, text); err != nil {
		return nil, err
	}
	if m.program, err = loadProgram(path, d); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, path, err)
	}
	if m.program != nil {
		return m, nil
	}
	if m.run, m.exported, err = openForward(path, d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	return m, nil
}

// describe reads the description that a file carries.
func (m *Model) describe(path, text string) error {
	if err := json.Unmarshal([]byte(text), &m.Info); err != nil || m.Info.Format < 1 {
		return fmt.Errorf("%w: %s has no valid %s", ErrModel, path, task.InfoFile)
	}
	if m.Info.Format > modelFormat {
		return fmt.Errorf("%w: %s has format %d, this program knows up to %d: use a newer one", ErrModel, path, m.Info.Format, modelFormat)
	}
	return nil
}

// loadProgram reads the list of instructions that an archive carries, with the
// weights of its script; nil where it carries none, as older ones do.
func loadProgram(path string, d torch.Device) (*graph.Program, error) {
	text, err := torch.ScriptExtra(path, graph.ProgramFile)
	if err != nil || text == "" {
		return nil, err
	}
	module, err := torch.OpenScript(path, d)
	if err != nil {
		return nil, err
	}
	defer module.Close()
	return graph.Load(text, module.Tensor)
}

// Close frees the model.
func (m *Model) Close() error {
	if m.program != nil {
		return m.program.Close()
	}
	return m.exported.Close()
}

// forward computes logits from images on the model's device.
func (m *Model) forward(s *torch.Scope, images torch.Tensor) torch.Tensor {
	if m.program != nil {
		return m.program.RunFast(s, images)
	}
	return m.run(s, images)
}

// Guess is a class with its probability.
type Guess struct {
	Class       string  `json:"class"`
	Index       int     `json:"index"`
	Probability float64 `json:"probability"`
}

// Classify returns for each image its classes, the most likely first. pixels
// are the images one after another, each channels*height*width float32 values
// in 0..1; for a model with [ModelInfo].Events the stacks, each T times as many values.
func (m *Model) Classify(pixels []float32) ([][]Guess, error) {
	size := 1
	for _, n := range m.Info.shape(1) {
		size *= int(n)
	}
	if size == 0 || len(pixels) == 0 || len(pixels)%size != 0 {
		return nil, fmt.Errorf("train: classify: %d values are not a number of images of %s", len(pixels), m.Info.sizes())
	}
	n := len(pixels) / size
	s := torch.NewInference()
	defer s.Close()
	images := torch.FromSlice(s, pixels, m.Info.shape(n)...)
	if torch.IsCUDA(m.device) {
		images = s.To(images, m.device)
	}
	probabilities := s.Softmax(m.forward(s, images), 1)
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("train: classify: %w", err)
	}
	values, err := torch.ToSlice[float32](probabilities)
	if err != nil {
		return nil, fmt.Errorf("train: classify: %w", err)
	}
	width := len(values) / n
	list := make([][]Guess, n)
	for i := range list {
		list[i] = rank(values[i*width:(i+1)*width], m.Info.Classes)
	}
	return list, nil
}

// rank sorts classes by probability, equal ones by index.
func rank(probabilities []float32, classes []string) []Guess {
	list := make([]Guess, len(probabilities))
	for i, p := range probabilities {
		name := fmt.Sprintf("class %d", i)
		if i < len(classes) {
			name = classes[i]
		}
		if math.IsNaN(float64(p)) {
			p = 0
		}
		list[i] = Guess{Class: name, Index: i, Probability: float64(p)}
	}
	slices.SortStableFunc(list, func(a, b Guess) int { return cmp.Compare(b.Probability, a.Probability) })
	return list
}
