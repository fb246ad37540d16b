package stream

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/export/onnx"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

const (
	// Kind is what the description of an exported stereo network calls itself.
	Kind = "stereo"
	// format is the version of archives that this program writes, and the last that
	// it reads.
	format = 1
)

// Info describes an exported stereo network; it lies in the archive as [task.InfoFile].
type Info struct {
	Kind   string `json:"kind"`
	Format int    `json:"format"`
	// Version is that of the program that wrote it.
	Version string `json:"version"`
	Dataset string `json:"dataset,omitempty"`
	// Channels are the bins of a stack of a view; BinSeconds is the length of each.
	Channels   int     `json:"channels"`
	BinSeconds float64 `json:"bin_seconds"`
	// Steps is T, the stacks of a window in training.
	Steps int `json:"steps"`
	// Height and Width are the size of the pictures, in pixels.
	Height int `json:"height"`
	Width  int `json:"width"`
	// MaxDisparity is in pixels; Bins is the number of disparities of the cost, 2 px
	// apart.
	MaxDisparity int `json:"max_disparity"`
	Bins         int `json:"bins"`
	// NodeWidth is f.
	NodeWidth int     `json:"node_width"`
	Tau       float64 `json:"tau"`
	Threshold float64 `json:"threshold"`
	Mixing    string  `json:"mixing"`
	Stem      string  `json:"stem"`
	Stems     string  `json:"stems"`
	Head      string  `json:"head"`
	// Rig are the cameras that the network was trained for.
	Rig data.Rig `json:"rig"`
	// State names the layers of neurons, one tensor of the state for each.
	State    []string          `json:"state"`
	Genotype genotype.Genotype `json:"genotype"`
	// Validation is the accuracy within 1 px on the validation frames in percent,
	// absent if unknown.
	Validation *float64 `json:"validation_one_pixel_accuracy,omitempty"`
	Parameters int64    `json:"parameters,omitempty"`
}

// About is what a description holds beside what the network knows of itself.
type About struct {
	Version, Dataset string
	// Rig are the cameras. Default: those of MVSEC.
	Rig data.Rig
	// Binning is how events become stacks. Its bins are the network's channels;
	// default width 10 ms.
	Binning data.Binning
	// Validation is the accuracy within 1 px on the validation frames in percent.
	Validation *float64
}

// ErrModel is the cause of an error about a file that is no exported stereo network.
var ErrModel = errors.New("not a stereo model exported by spikedhs")

// Model is a stereo network in its inference form, ready to run.
type Model struct {
	Info    Info
	program *stereo.Program
	device  torch.Device
}

// New folds a network. The model does not change with it.
func New(n *stereo.Network, a About) (*Model, error) {
	p, err := n.Program()
	if err != nil {
		return nil, err
	}
	parameters, err := n.Parameters()
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	a.Rig, a.Binning.Width = cmp.Or(a.Rig, data.MVSECRig), cmp.Or(a.Binning.Width, 0.01)
	o := p.Options
	return &Model{program: p, device: n.Variables().Device(), Info: Info{
		Kind: Kind, Format: format, Version: a.Version, Dataset: a.Dataset,
		Channels: o.Channels, BinSeconds: a.Binning.Width, Steps: o.Steps, Height: a.Rig.Height, Width: a.Rig.Width,
		MaxDisparity: o.MaxDisparity, Bins: o.Bins(), NodeWidth: o.Width, Tau: o.Neuron.Tau, Threshold: o.Neuron.Threshold,
		Mixing: string(o.Mixing), Stem: string(o.Stem), Stems: string(o.Stems), Head: string(o.Head),
		Rig: a.Rig, State: p.Layers(), Genotype: n.Genotype, Validation: a.Validation, Parameters: parameters,
	}}, nil
}

// options of the network that a description describes.
func (i Info) options() stereo.Options {
	return stereo.Options{
		Channels: i.Channels, Width: i.NodeWidth, MaxDisparity: i.MaxDisparity, Steps: i.Steps,
		Neuron: spike.LIF{Tau: i.Tau, Threshold: i.Threshold}, Mixing: search.Mixing(i.Mixing), Stem: search.Stem(i.Stem),
		Stems: stereo.Stems(i.Stems), Head: stereo.Head(i.Head),
	}
}

// Binning is how events become the stacks that the network takes.
func (i Info) Binning() data.Binning { return data.Binning{Bins: i.Channels, Width: i.BinSeconds} }

// Device is where the model computes.
func (m *Model) Device() torch.Device { return m.device }

// Close frees the model.
func (m *Model) Close() error { return m.program.Close() }

// Export writes the model, atomically: as a TorchScript archive, see stereo.Program.Script
// for its methods, or where the name ends in .onnx as an ONNX model of one step, see
// [onnx.Step]. The description lies in it as [task.InfoFile].
func (m *Model) Export(path string) error {
	if task.IsONNX(path) {
		return task.SaveONNX(path, m.Info, nil, func(files map[string]string) (*onnx.Model, error) {
			return onnx.Step(m.program.Program, files)
		})
	}
	return task.SaveScript(path, m.Info, nil, func(files map[string]string) *torch.Script {
		return m.program.Script(m.Info.Height, m.Info.Width, files)
	})
}

// Load reads an exported model onto a device. It runs as the program does, several
// times faster than its script.
func Load(path string, d torch.Device) (*Model, error) {
	text, err := torch.ScriptExtra(path, task.InfoFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	m := &Model{device: d}
	if err := json.Unmarshal([]byte(text), &m.Info); err != nil {
		return nil, fmt.Errorf("%w: %s has no valid %s: %w", ErrModel, path, task.InfoFile, err)
	}
	switch i := m.Info; {
	case i.Kind != Kind:
		return nil, fmt.Errorf("%w: %s is another kind of network; use `spikedhs infer`", ErrModel, path)
	case i.Format < 1 || i.Format > format:
		return nil, fmt.Errorf("%w: %s has format %d, this program knows up to %d: use a newer one", ErrModel, path, i.Format, format)
	case !(i.BinSeconds > 0) || math.IsInf(i.BinSeconds, 1):
		return nil, fmt.Errorf("%w: %s has bins of %g s", ErrModel, path, i.BinSeconds)
	}
	module, err := torch.OpenScript(path, d)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	defer module.Close()
	if m.program, err = stereo.LoadProgram(m.Info.options(), m.Info.Genotype, module.Tensor); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, path, err)
	}
	return m, nil
}

// ErrDisagree is wrapped by the error of an archive that does not compute what its
// network does.
var ErrDisagree = errors.New("the exported model and the network disagree")

// tolerance is the largest difference of disparities, in pixels, that is accepted.
const tolerance = 1e-4

// Agreement is how well an archive and the model it was made of agree.
type Agreement struct {
	// Steps and Pixels are how many were compared.
	Steps  int `json:"steps"`
	Pixels int `json:"pixels"`
	// MaxDifference is the largest absolute difference of two disparities in pixels.
	MaxDifference float64 `json:"max_difference"`
	// Different is how many differ by more than 1e-4 px.
	Different int `json:"different,omitempty"`
}

// String is the agreement in a few words.
func (a Agreement) String() string {
	text := fmt.Sprintf("a window of %d stacks: largest difference of a disparity %.2g px", a.Steps, a.MaxDifference)
	if a.Different > 0 {
		text += fmt.Sprintf(", %d of %d differ", a.Different, a.Pixels)
	}
	return text
}

// differing is the share of disparities of an ONNX model that may differ: another program
// adds in another order, and a membrane next to the threshold may fire in one alone.
const differing = 0.01

// Check reads the exported model back and compares its disparities with the
// model's over a window of made-up events, in which one pixel in ten has some.
func (m *Model) Check(path string) (Agreement, error) {
	defer torch.Pin()()
	var a Agreement
	window, exported, err := m.openWindow(path)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrModel, err)
	}
	defer exported.Close()
	s := torch.NewInference()
	defer s.Close()
	shape := []int64{int64(m.Info.Steps), int64(m.Info.Channels), int64(m.Info.Height), int64(m.Info.Width)}
	draw := func() torch.Tensor {
		// |x| > 1.645 in a tenth of a normal distribution.
		x := s.Scale(s.Randn(m.device, shape...), 1/1.645)
		return s.Tensor("aten::trunc", s.Tensor("aten::clamp", x, -1, 1))
	}
	left, right := draw(), draw()
	want, err := torch.ToSlice[float32](m.program.Disparity(s, left, right, m.Info.Steps, nil, search.Float32))
	if err == nil {
		var have []float32
		have, err = window(s, left, right)
		for i := range min(len(have), len(want)) {
			d := math.Abs(float64(have[i]) - float64(want[i]))
			a.MaxDifference = max(a.MaxDifference, d) // NaN once there is one
			if d > tolerance {
				a.Different++
			}
		}
	}
	if failed := s.Err(); failed != nil {
		err = failed
	}
	if err != nil {
		return a, fmt.Errorf("stream: check export: %w", err)
	}
	a.Steps, a.Pixels = m.Info.Steps, len(want)
	if task.IsONNX(path) && float64(a.Different) <= differing*float64(a.Pixels) && !math.IsNaN(a.MaxDifference) {
		return a, nil
	}
	if !(a.MaxDifference <= tolerance) {
		return a, fmt.Errorf("%w: disparities differ by up to %.2g px, allowed are %.0e", ErrDisagree, a.MaxDifference, tolerance)
	}
	return a, nil
}
