package stereo

import (
	"context"
	"fmt"

	"github.com/spikedhs/spikedhs/data"
	stereodata "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	criterion "github.com/spikedhs/spikedhs/train/stereo"
	"github.com/spikedhs/spikedhs/train/task"
)

// Evaluation is how good the disparities of a network are on a set of frames,
// each the last of a window of T stacks.
type Evaluation struct {
	criterion.Metrics
	// Loss is the mean cross entropy of the last time step in nats.
	Loss float64 `json:"loss"`
	// Parameters is the number of trained numbers of the network.
	Parameters int64 `json:"parameters"`
	// Checkpoint is the file of the weights, and Epoch the epochs that they were
	// trained for.
	Checkpoint string `json:"checkpoint,omitempty"`
	Epoch      int    `json:"epoch,omitempty"`
	// BlockMatching and Constant are the baselines on the same frames: 9x9 SAD on the
	// same stacks, and the median disparity of the training frames everywhere; nil
	// where they were not asked for.
	BlockMatching *criterion.Metrics `json:"block_matching,omitempty"`
	Constant      *criterion.Metrics `json:"constant,omitempty"`
	// Activity is how often the neurons fired in a time step of both views, and the
	// operations and energy that follow from it; nil where nothing was counted.
	Activity *graph.Activity `json:"activity,omitempty"`
}

// Percent is the accuracy within 1 px.
func (e Evaluation) Percent() float64 { return e.OnePixelAccuracy }

// Fields are loss, accuracy and errors, and those of the baselines.
func (e Evaluation) Fields() []task.Number {
	list := []task.Number{
		{Name: "loss", Value: e.Loss, Chart: true}, {Name: "one_pixel_accuracy", Value: e.OnePixelAccuracy, Chart: true},
		{Name: "mean_disparity_error_px", Value: e.MeanDisparityError, Chart: true},
		{Name: "mean_depth_error_cm", Value: e.MeanDepthError}, {Name: "median_depth_error_cm", Value: e.MedianDepthError},
	}
	if e.BlockMatching == nil {
		return append(list, task.Number{Name: "near_zero", Value: e.NearZero})
	}
	return append(list, task.Number{Name: "frames", Value: e.Frames},
		task.Number{Name: "block_matching_one_pixel_accuracy", Value: e.BlockMatching.OnePixelAccuracy},
		task.Number{Name: "constant_one_pixel_accuracy", Value: e.Constant.OnePixelAccuracy})
}

// From notes the weights that were measured.
func (e Evaluation) From(checkpoint string, epoch int) task.Evaluation {
	e.Checkpoint, e.Epoch = checkpoint, epoch
	return e
}

// String is accuracy and error, beside the accuracy of the baselines.
func (e Evaluation) String() string {
	text := fmt.Sprintf("1PA %.2f %%, %.3f px", e.OnePixelAccuracy, e.MeanDisparityError)
	if e.BlockMatching != nil {
		text += fmt.Sprintf(" (block matching %.2f %%, constant %.2f %%)", e.BlockMatching.OnePixelAccuracy, e.Constant.OnePixelAccuracy)
	}
	return text
}

// Size is the number of frames of a part.
func (n *Network) Size(part task.Part) (int, string, error) {
	r, err := n.problem.recordings()
	if err != nil {
		return 0, "", err
	}
	return len(r.of(part)), "frames", nil
}

// Evaluate measures the last disparity of each window of a part, computed by the folded
// network.
func (n *Network) Evaluate(ctx context.Context, part task.Part, m task.Measuring) (task.Evaluation, error) {
	r, err := n.problem.recordings()
	if err != nil {
		return nil, err
	}
	frames, c := r.of(part), n.problem.c
	if len(frames) == 0 {
		return nil, fmt.Errorf("train: the split %q has no %s frames with %d frames before them", c.Stereo.Split, part, c.Stereo.Steps-1)
	}
	p, err := n.Program()
	if err != nil {
		return nil, err
	}
	defer p.Close()
	l, err := r.plainLoader(c, frames)
	if err != nil {
		return nil, err
	}
	j := &scoring{c: c, frames: frames, network: meter(c, r)}
	counted := 0
	if m.Final {
		if j.baselines, err = newBaselines(ctx, c, r); err != nil {
			return nil, err
		}
		if counted = c.Eval.CountImages; counted == 0 {
			counted = countedFrames
		}
		p.CountSpikes()
	}
	if m.Pictures != nil {
		j.gallery = newGallery(m.Pictures, len(frames))
	}
	d, steps := n.Variables().Device(), c.Stereo.Steps
	precision := task.EvalPrecision(c, d)
	forward := func(s *torch.Scope, x task.Tensors) torch.Tensor {
		if j.done >= counted {
			p.StopCounting()
		}
		cost := p.Run(s, x.Inputs[0], x.Inputs[1], steps, nil, precision)
		return s.Narrow(cost, 0, (steps-1)*x.N, x.N)
	}
	if err := task.Measure(ctx, d, l, forward, j, m.Tick); err != nil {
		return nil, err
	}
	e := j.result()
	if m.Final {
		if e.Activity, err = p.Activity(); err != nil {
			return nil, err
		}
	}
	e.Parameters, err = n.Parameters()
	return e, err
}

// countedFrames is the number of frames whose spikes are counted by default: that takes
// passes over all values.
const countedFrames = 500

// scoring sums up an evaluation.
type scoring struct {
	c         *config.Config
	frames    []stereodata.Frame
	network   *criterion.Meter
	loss      float64
	done      int
	baselines *baselines // nil: none
	gallery   *gallery   // nil: no pictures
}

// frame is one with its disparity; the slices belong to the batch.
type frame struct {
	number                  int
	frame                   stereodata.Frame
	height, width, channels int
	disparity, truth        []float32
	left, right             []float32 // the last stacks
}

// Add takes the cost of the last time step of a batch.
func (j *scoring) Add(s *torch.Scope, b *data.Batch, x task.Tensors, cost torch.Tensor) error {
	rows := b.T * b.N
	j.loss += s.Item(criterion.Loss(s, cost, s.Narrow(x.Target, 0, rows-b.N, b.N), j.c.Stereo.Diversity)) * float64(b.N)
	disparities, err := torch.ToSlice[float32](stereo.Estimate(s, cost))
	if err != nil {
		return err
	}
	pixels := b.H * b.W
	for i := range b.N {
		row := rows - b.N + i
		f := frame{
			number: j.done + i, frame: j.frames[b.Indices[i]], height: b.H, width: b.W, channels: b.C,
			disparity: disparities[i*pixels:][:pixels], truth: b.Truth[row*pixels:][:pixels],
			left: b.Inputs[0][row*b.C*pixels:][:b.C*pixels], right: b.Inputs[1][row*b.C*pixels:][:b.C*pixels],
		}
		if err := j.network.Add(f.disparity, f.truth); err != nil {
			return err
		}
		if j.baselines != nil {
			if err := j.baselines.add(f); err != nil {
				return err
			}
		}
		if j.gallery != nil {
			if err := j.gallery.draw(f); err != nil {
				return err
			}
		}
	}
	j.done += b.N
	return nil
}

func (j *scoring) result() Evaluation {
	e := Evaluation{Metrics: j.network.Result(), Loss: j.loss / float64(max(j.done, 1))}
	if b := j.baselines; b != nil {
		matched, flat := b.matched.Result(), b.flat.Result()
		e.BlockMatching, e.Constant = &matched, &flat
	}
	return e
}

func meter(c *config.Config, r *recordings) *criterion.Meter {
	return &criterion.Meter{FocalBaseline: r.focalBaseline(c), ClampAt: c.Stereo.ClampAt}
}

// baselines are what needs no network, on the same frames.
type baselines struct {
	blocks        criterion.BlockMatching
	constant      criterion.Constant
	matched, flat *criterion.Meter
}

func newBaselines(ctx context.Context, c *config.Config, r *recordings) (*baselines, error) {
	b := &baselines{blocks: criterion.BlockMatching{MaxDisparity: c.Stereo.MaxDisparity}, matched: meter(c, r), flat: meter(c, r)}
	// A sample of labels tells the median as well as all of them do.
	for _, f := range evenly(r.parts.Train, 500) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		labels, err := r.set.Label(f)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		b.constant.Add(labels)
	}
	return b, nil
}

func (b *baselines) add(f frame) error {
	found, err := b.blocks.Match(f.left, f.right, f.channels, f.height, f.width)
	if err != nil {
		return err
	}
	if err := b.matched.Add(found, f.truth); err != nil {
		return err
	}
	same := make([]float32, len(f.truth))
	for i := range same {
		same[i] = b.constant.Disparity()
	}
	return b.flat.Add(same, f.truth)
}
