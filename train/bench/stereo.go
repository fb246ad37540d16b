package bench

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	network "github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/stereo"
)

const (
	// StereoTrain is a training step of the published stereo network: forward,
	// loss of all time steps, backward, clipping, Adam.
	StereoTrain Task = "stereo-train"
	// StereoSearch is a step of the stereo supernet's weights and one of its alpha and
	// beta, each on a batch.
	StereoSearch Task = "stereo-search"
	// StereoStream is one step of a stream through the folded network: the stacks of
	// both views to disparity, membranes kept.
	StereoStream Task = "stereo-stream"
)

func init() {
	register(kind{
		preset: Case.stereoConfiguration,
		check:  checkStereo,
		has:    func(_ Case, impl string) bool { return impl == PythonPerStep },
		script: func(string) string { return "stereo_worker.py" },
		shape:  func(c Case) string { return fmt.Sprintf("f=%d T=%d %s", c.Width, c.Steps, c.Grid()) },
		sizes:  stereoSizes, about: "96x132 with f=4, MVSEC's with f=8; a search has half of f", sized: stereoCase,
	},
		recipe{StereoTrain, "training steps of the stereo network", newStereoTraining},
		recipe{StereoSearch, "steps of a stereo search: of the weights and of alpha and beta", newStereoSearching},
		recipe{StereoStream, "steps of a stream through the stereo network", newStereoStreaming})
}

// Shape is what a case of named sizes has besides; Size is 0 then.
type Shape struct {
	Stereo *StereoShape `json:"stereo,omitempty"`
}

// Grid is the size of the pictures, rows and columns; "" for a case with a Size.
func (s Shape) Grid() string {
	if s.Stereo == nil {
		return ""
	}
	return fmt.Sprintf("%dx%d", s.Stereo.Rows, s.Stereo.Columns)
}

// StereoShape is what a case of the stereo network has beside those of images.
type StereoShape struct {
	// Rows and Columns are the size of the pictures.
	Rows    int `json:"rows"`
	Columns int `json:"columns"`
	// Channels are the bins of a stack of a view.
	Channels     int `json:"channels"`
	MaxDisparity int `json:"max_disparity"`
	// Feature and Matching are the subnets, nil in a search.
	Feature  *StereoWires `json:"feature,omitempty"`
	Matching *StereoWires `json:"matching,omitempty"`
	// FeatureLayers and MatchingLayers are the layers of the trellises in a search.
	FeatureLayers  int `json:"feature_layers,omitempty"`
	MatchingLayers int `json:"matching_layers,omitempty"`
}

// StereoWires are a subnet: its path, and the rows [edge, operation] of its cell.
type StereoWires struct {
	Path []int    `json:"path"`
	Cell [][2]int `json:"cell"`
}

// stereoSizes: "small" is 96 x 132 pixels and f = 4 with disparities up to 21 px, "full"
// f = 8 and 63 px, at 200 x 280 (a crop) in training and 260 x 346 in a stream. A search
// has half of f.
var stereoSizes = []string{"small", "full"}

// stereoCase is a case of the stereo network, batch 1. T is 5 in training and in the
// search of size "full", 3 in that of "small", whose network is that of the preset
// stereo-synthetic. A search is measured on all levels of the trellis.
func stereoCase(of Task, size, precision, device string, threads int) (Case, error) {
	d, err := torch.ParseDevice(device)
	if err != nil {
		return Case{}, fmt.Errorf("%w: %w", ErrCase, err)
	}
	shape := StereoShape{Rows: 96, Columns: 132, Channels: 5, MaxDisparity: 21}
	c := Case{Task: of, auto: precision == "auto", Setting: Setting{
		Impl: Ours, Precision: string(task.Precision(precision, d)),
		Batch: 1, Width: 4, Steps: 5, Nodes: publishedNodes, Threads: threads, Device: torch.DeviceName(d), Shape: Shape{&shape},
	}}
	switch {
	case size == "full":
		shape.MaxDisparity, c.Width = 63, 8
		shape.Rows, shape.Columns = 200, 280
		if of == StereoStream {
			shape.Rows, shape.Columns = 260, 346
		}
	case size != "small":
		return Case{}, fmt.Errorf("%w: size %q: want one of %v", ErrCase, size, stereoSizes)
	}
	if of == StereoSearch {
		shape.FeatureLayers, shape.MatchingLayers = network.DefaultFeatureLayers, network.DefaultMatchingLayers
		c.Width /= 2
		if size == "small" {
			c.Steps = 3
		}
		return c, c.Validate()
	}
	g, err := genotype.Preset(genotype.PresetStereo)
	if err != nil {
		return Case{}, err
	}
	shape.Feature = &StereoWires{g.Subnet(network.Feature).Path, g.Subnet(network.Feature).Cell.Rows()}
	shape.Matching = &StereoWires{g.Subnet(network.Matching).Path, g.Subnet(network.Matching).Cell.Rows()}
	if of == StereoStream {
		c.Steps = 1
	}
	return c, c.Validate()
}

// checkStereo checks the ranges of a stereo case.
func checkStereo(c Case) error {
	if c.Stereo == nil || c.Batch < 1 || c.Steps < 1 || c.Threads < 1 || c.Stereo.Rows < 1 || c.Stereo.Columns < 1 {
		return fmt.Errorf("%w: a stereo network needs a size, a batch, steps and threads of at least 1", ErrCase)
	}
	if c.Task == StereoSearch && (c.Stereo.FeatureLayers < 1 || c.Stereo.MatchingLayers < 1) {
		return fmt.Errorf("%w: a stereo search needs at least one layer in each subnet", ErrCase)
	}
	return nil
}

// stereoConfiguration is the preset with the sizes of a case.
func (c Case) stereoConfiguration() (*config.Config, error) {
	cfg, err := config.Load(stereoPreset, nil)
	if err != nil {
		return nil, err
	}
	cfg.Search.Width, cfg.Search.Steps, cfg.Stereo.MaxDisparity = c.Width, c.Steps, c.Stereo.MaxDisparity
	return cfg, nil
}

// stereoPreset has what a stereo network learns with.
const stereoPreset = "mvsec-paper"

// stereoNetwork builds the network of a case.
func (c Case) stereoNetwork(d torch.Device, cfg *config.Config) (*stereo.Network, error) {
	g, err := genotype.Preset(genotype.PresetStereo)
	if err != nil {
		return nil, err
	}
	return stereo.NewNetwork(d, g, cfg, network.Options{
		Channels: c.Stereo.Channels, Width: c.Width, MaxDisparity: c.Stereo.MaxDisparity, Steps: c.Steps,
		Precision: search.Precision(c.Precision),
	})
}

// views draws stacks of both views, events in one pixel of ten.
func (c Case) views(s *torch.Scope, d torch.Device, steps int) (left, right torch.Tensor) {
	draw := func() torch.Tensor {
		x := s.Randn(d, int64(steps*c.Batch), int64(c.Stereo.Channels), int64(c.Stereo.Rows), int64(c.Stereo.Columns))
		return s.Tensor("aten::trunc", s.Tensor("aten::clamp", s.Scale(x, 1/1.645), -1, 1))
	}
	return draw(), draw()
}

// stacks draws a batch over all time steps, disparities even up to half of the largest.
func (c Case) stacks(s *torch.Scope, d torch.Device) task.Tensors {
	left, right := c.views(s, d, c.Steps)
	half := float64(c.Stereo.MaxDisparity) / 4 // uniform in 0 to twice that
	truth := torch.Uniform(half)(s, d, []int64{int64(c.Steps * c.Batch), int64(c.Stereo.Rows), int64(c.Stereo.Columns)})
	return task.Tensors{Inputs: []torch.Tensor{left, right}, Target: s.Tensor("aten::add.Scalar", truth, half), N: c.Batch}
}

func newStereoTraining(c Case, d torch.Device, cfg *config.Config) (workload, error) {
	n, err := c.stereoNetwork(d, cfg)
	if err != nil {
		return nil, err
	}
	return newTraining(n, cfg, func(s *torch.Scope) task.Tensors { return c.stacks(s, d) })
}

func newStereoSearching(c Case, d torch.Device, cfg *config.Config) (workload, error) {
	cfg.Stereo.FeatureLayers, cfg.Stereo.MatchingLayers = c.Stereo.FeatureLayers, c.Stereo.MatchingLayers
	n, err := stereo.NewSupernet(d, cfg, stereo.SearchOptions(cfg, c.Stereo.Channels, search.Precision(c.Precision)))
	if err != nil {
		return nil, err
	}
	return newSearching(n, cfg, func(s *torch.Scope) (one, other task.Tensors) { return c.stacks(s, d), c.stacks(s, d) })
}

// stereoSettling are the passes that settle running statistics before a stream; the
// script does the same.
const stereoSettling = 5

// stereoStreaming is the task [StereoStream].
type stereoStreaming struct {
	program     *network.Program
	state       network.State
	scope       *torch.Scope
	left, right torch.Tensor
	precision   search.Precision
}

func newStereoStreaming(c Case, d torch.Device, cfg *config.Config) (workload, error) {
	net, err := c.stereoNetwork(d, cfg)
	if err != nil {
		return nil, err
	}
	for range stereoSettling {
		err := inScope(torch.NewInference(), func(s *torch.Scope) {
			left, right := c.views(s, d, c.Steps)
			net.Forward(search.Pass{Scope: s, Mode: torch.Train}, left, right)
		})
		if err != nil {
			return nil, errors.Join(err, net.Close())
		}
	}
	t := &stereoStreaming{scope: torch.NewInference(), precision: search.Precision(c.Precision)}
	t.program, err = net.Program()
	if err = errors.Join(err, net.Close()); err != nil {
		return nil, err
	}
	t.left, t.right = c.views(t.scope, d, 1)
	return t, t.scope.Err()
}

func (t *stereoStreaming) step() error {
	return inScope(torch.NewInference(), func(s *torch.Scope) { s.Item(t.sum(s)) })
}

// sum takes a step of the stream and adds its disparities up.
func (t *stereoStreaming) sum(s *torch.Scope) torch.Tensor {
	return s.Sum(t.program.Disparity(s, t.left, t.right, 1, &t.state, t.precision))
}

// parts: a recorded step reads the membranes of the step before the recording, so it
// ends with a copy of its own over them.
func (t *stereoStreaming) parts() ([]part, error) {
	scope := torch.NewInference()
	result := t.sum(scope)
	var before []torch.Tensor
	for _, v := range t.state.Membranes() {
		before = append(before, scope.Alias(v)) // the state lets go of them in the next step
	}
	return []part{{
		scope: torch.NewInference,
		work: func(s *torch.Scope) {
			s.CopyTo(result, t.sum(s))
			for i, v := range t.state.Membranes() {
				s.CopyTo(before[i], v)
			}
		},
		end:        func(s *torch.Scope) { s.Item(result) },
		afterwards: func() { _ = scope.Close() }, // its one error was returned
	}}, scope.Err()
}

func (t *stereoStreaming) close() error {
	t.state.Reset()
	return errors.Join(t.scope.Close(), t.program.Close())
}
