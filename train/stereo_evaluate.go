package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	criterion "github.com/spikedhs/spikedhs/train/stereo"
)

// DisparityMetrics are the numbers that event-based stereo is judged by, means over
// frames.
type DisparityMetrics struct {
	// OnePixelAccuracy is the share of pixels within 1 px, in percent.
	OnePixelAccuracy float64 `json:"one_pixel_accuracy"`
	// MeanDisparityError is in pixels.
	MeanDisparityError float64 `json:"mean_disparity_error_px"`
	// MeanDepthError and MedianDepthError are in centimetres.
	MeanDepthError   float64 `json:"mean_depth_error_cm"`
	MedianDepthError float64 `json:"median_depth_error_cm"`
	// Frames and Pixels count the frames and their pixels with truth.
	Frames int   `json:"frames"`
	Pixels int64 `json:"pixels"`
	// NearZero counts pixels whose prediction is below 0.5 px: their depth means
	// nothing and can spoil the mean.
	NearZero int64 `json:"near_zero"`
}

func disparityMetrics(m criterion.Metrics) DisparityMetrics {
	const centimetres = 100
	return DisparityMetrics{
		OnePixelAccuracy: m.OnePixelAccuracy, MeanDisparityError: m.MeanDisparityError,
		MeanDepthError: centimetres * m.MeanDepthError, MedianDepthError: centimetres * m.MedianDepthError,
		Frames: m.Frames, Pixels: m.Pixels, NearZero: m.NearZero,
	}
}

// StereoEvaluation is how good the disparities of a network are on a set of frames,
// each the last of a window of T stacks.
type StereoEvaluation struct {
	DisparityMetrics
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
	BlockMatching *DisparityMetrics `json:"block_matching,omitempty"`
	Constant      *DisparityMetrics `json:"constant,omitempty"`
}

// stereoJudge evaluates a network on frames.
type stereoJudge struct {
	c      *config.Config
	data   *recordings
	device torch.Device
}

// judge measures the last disparity of each window; look, when given, sees each
// frame.
func (j stereoJudge) judge(ctx context.Context, net *stereo.Network, frames []data.Frame, look func(f judged) error, tick func(n int)) (StereoEvaluation, error) {
	defer torch.Pin()()
	loader, err := j.data.plainLoader(j.c, frames)
	if err != nil {
		return StereoEvaluation{}, err
	}
	meter := j.meter()
	loss := 0.0
	done := 0
	err = eachBatch(ctx, loader, 0, 0, func(s *torch.Scope, b *data.Batch) (bool, error) {
		on := stereoToDevice(s, j.device, b)
		rows := b.T * b.N
		cost := s.Narrow(net.Forward(search.Pass{Scope: s, Mode: torch.Evaluate}, on.left, on.right), 0, rows-b.N, b.N)
		loss += s.Item(criterion.Loss(s, cost, s.Narrow(on.labels, 0, rows-b.N, b.N), j.c.Stereo.Diversity)) * float64(b.N)
		found := stereo.Estimate(s, cost)
		if err := s.Err(); err != nil {
			return false, err
		}
		disparities, err := torch.ToSlice[float32](found)
		if err != nil {
			return false, err
		}
		pixels := b.H * b.W
		for i := range b.N {
			row := rows - b.N + i
			f := judged{
				number: done + i, frame: b.Frames[i], height: b.H, width: b.W, channels: b.C,
				disparity: disparities[i*pixels:][:pixels], truth: b.Labels[row*pixels:][:pixels],
				left: b.Left[row*b.C*pixels:][:b.C*pixels], right: b.Right[row*b.C*pixels:][:b.C*pixels],
			}
			if err := meter.Add(f.disparity, f.truth); err != nil {
				return false, err
			}
			if look != nil {
				if err := look(f); err != nil {
					return false, err
				}
			}
		}
		done += b.N
		if tick != nil {
			tick(b.N)
		}
		return true, nil
	})
	if err != nil {
		return StereoEvaluation{}, fmt.Errorf("train: evaluate: %w", err)
	}
	e := StereoEvaluation{DisparityMetrics: disparityMetrics(meter.Result()), Loss: loss / float64(max(done, 1))}
	e.Parameters, err = net.Parameters()
	return e, err
}

// judged is a frame with its disparity; the slices belong to the caller's batch.
type judged struct {
	number                  int
	frame                   data.Frame
	height, width, channels int
	disparity, truth        []float32
	left, right             []float32 // the last stacks
}

func (j stereoJudge) meter() *criterion.Meter {
	return &criterion.Meter{FocalBaseline: j.data.focalBaseline(j.c), ClampAt: j.c.Stereo.ClampAt}
}

// compare judges the test frames, with the baselines on the way.
func (j stereoJudge) compare(ctx context.Context, net *stereo.Network, look func(judged) error, tick func(n int)) (StereoEvaluation, error) {
	frames := j.data.parts.Test
	if len(frames) == 0 {
		return StereoEvaluation{}, fmt.Errorf("train: the split %q has no test frames with %d frames before them", j.c.Stereo.Split, j.c.Stereo.Steps-1)
	}
	var constant criterion.Constant
	// A sample of labels tells the median as well as all of them do.
	for _, f := range evenly(j.data.parts.Train, 500) {
		if err := ctx.Err(); err != nil {
			return StereoEvaluation{}, err
		}
		labels, err := j.data.set.Label(f)
		if err != nil {
			return StereoEvaluation{}, fmt.Errorf("train: %w", err)
		}
		constant.Add(labels)
	}
	blocks := criterion.BlockMatching{MaxDisparity: j.c.Stereo.MaxDisparity}
	matched, flat := j.meter(), j.meter()
	e, err := j.judge(ctx, net, frames, func(f judged) error {
		found, err := blocks.Match(f.left, f.right, f.channels, f.height, f.width)
		if err != nil {
			return err
		}
		if err := matched.Add(found, f.truth); err != nil {
			return err
		}
		same := make([]float32, len(f.truth))
		for i := range same {
			same[i] = constant.Disparity()
		}
		if err := flat.Add(same, f.truth); err != nil || look == nil {
			return err
		}
		return look(f)
	}, tick)
	if err != nil {
		return e, err
	}
	of := func(m *criterion.Meter) *DisparityMetrics {
		metrics := disparityMetrics(m.Result())
		return &metrics
	}
	e.BlockMatching, e.Constant = of(matched), of(flat)
	return e, nil
}

// BestCheckpointFile is the checkpoint of a stereo run with the best disparities on
// the validation frames, in its checkpoints folder.
const BestCheckpointFile = "best.safetensors"

// TrainedStereo is a trained stereo network read from a run folder.
type TrainedStereo struct {
	Folder  *run.Folder
	Network *stereo.Network
	// Config is the configuration of the run, with the device that was asked for.
	Config *config.Config
	// Device is where the network is.
	Device torch.Device
	// Checkpoint is the file of the weights; Epoch the epochs that they were trained for.
	Checkpoint string
	Epoch      int
	// Validation is the accuracy within 1 px on the validation frames in percent, nil
	// if it was never measured.
	Validation *float64
}

// OpenStereo reads the stereo network of a run folder; its data are not needed.
// checkpoint names other weights than the run's best on the validation frames (or
// its last, where nothing was measured yet), and device overrides the run's (""
// keeps it).
func OpenStereo(_ context.Context, dir, checkpoint, device string) (*TrainedStereo, error) {
	folder, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	c := *folder.Config()
	if !c.IsStereo() {
		return nil, fmt.Errorf("train: %s is a run of image classification, not of stereo", dir)
	}
	if device != "" {
		c.Run.Device = device
	}
	m, err := setUpToUse(&c)
	if err != nil {
		return nil, err
	}
	g, err := genotype.Load(folder.Path(run.GenotypeFile))
	if err != nil {
		return nil, err
	}
	if checkpoint == "" {
		checkpoint = folder.Path(run.CheckpointDir, BestCheckpointFile)
		if _, err := os.Stat(checkpoint); errors.Is(err, fs.ErrNotExist) {
			checkpoint = folder.Path(run.CheckpointDir, CheckpointFile)
		}
	}
	saved, err := readCheckpoint(checkpoint)
	if err != nil {
		return nil, err
	}
	defer saved.close()
	o := StereoTrainOptions(&c, eventBins, m.precision)
	if err := saved.check(phaseTrain, stereoFingerprint(g, o)); err != nil {
		return nil, err
	}
	t := &TrainedStereo{Folder: folder, Config: &c, Device: m.device, Checkpoint: checkpoint, Epoch: saved.at.Epoch, Validation: saved.at.Accuracy}
	if t.Network, err = stereo.NewNetwork(m.device, g, o); err != nil {
		return nil, err
	}
	if err := saved.assign(t.Network.Variables(), "network"); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// eventBins is the number of bins of a stack, the channels of a view.
const eventBins = 5

// Close frees the network.
func (t *TrainedStereo) Close() error { return t.Network.Close() }

// Evaluate measures the network and the baselines on the test frames of the run.
func (t *TrainedStereo) Evaluate(ctx context.Context, progress *run.Progress) (StereoEvaluation, error) {
	sets, err := openRecordings(t.Config, nil)
	if err != nil {
		return StereoEvaluation{}, err
	}
	if progress == nil {
		progress = run.NewProgress(io.Discard)
	}
	progress.Start("evaluate", "frames", len(sets.parts.Test), 0)
	e, err := stereoJudge{t.Config, sets, t.Device}.compare(ctx, t.Network, nil, func(n int) { progress.Add(n, "") })
	if err != nil {
		progress.Stop()
		return StereoEvaluation{}, err
	}
	progress.End(fmt.Sprintf("1PA %.2f %%", e.OnePixelAccuracy))
	e.Checkpoint, e.Epoch = t.Checkpoint, t.Epoch
	return e, nil
}

func writeStereoEvaluation(folder *run.Folder, e StereoEvaluation) error {
	err := folder.Write(EvaluationFile, func(w io.Writer) error { return json.NewEncoder(w).Encode(e) })
	if err != nil {
		return fmt.Errorf("train: write evaluation: %w", err)
	}
	return nil
}
