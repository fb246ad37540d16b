package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// StereoTrainResult is what the training of a stereo network reached.
type StereoTrainResult struct {
	// Folder is the run folder.
	Folder *run.Folder
	// Genotype is the architecture that was trained.
	Genotype genotype.Genotype
	// Steps is the number of steps done.
	Steps int64
	// Evaluation is that of the network that is best on the validation frames, on the
	// test frames; zeros where the training has not ended yet.
	Evaluation StereoEvaluation
}

// TrainStereo trains the stereo network of a genotype from fresh weights (section
// 4.2). The genotype is [config.Train.Genotype]: a preset's name or a file. Each
// time that the network is measured on the validation frames the best is kept; the
// test frames are looked at once, at the end.
func TrainStereo(ctx context.Context, job Job) (*StereoTrainResult, error) {
	defer torch.Pin()() // from the first tensor on
	j := job.withDefaults()
	if j.Resume {
		if err := j.resumeConfig(); err != nil {
			return nil, err
		}
	}
	g, err := j.stereoGenotype()
	if err != nil {
		return nil, err
	}
	m, err := j.setUp()
	if err != nil {
		return nil, err
	}
	sets, err := openRecordings(j.Config, j.Log)
	if err != nil {
		return nil, err
	}
	t, err := newStereoTrainer(&j, m, sets, g)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.start(m); err != nil {
		return nil, err
	}
	if err := t.loop.run(ctx); err != nil {
		return nil, err
	}
	result := &StereoTrainResult{Folder: t.loop.folder, Genotype: g, Steps: t.loop.at.Step}
	if t.loop.full() && t.loop.at.Epoch < t.loop.epochs {
		return result, nil
	}
	if result.Evaluation, err = t.finish(ctx); err != nil {
		if contextEnded(err) {
			// The checkpoint of the last epoch is there: only the test is done again.
			j.Log.Info("interrupted while the test frames were measured", "checkpoint", t.loop.checkpointPath())
			return nil, fmt.Errorf("%s: %w", t.loop.folder.Dir(), ErrInterrupted)
		}
		return nil, err
	}
	if err := t.loop.folder.MarkEnded(time.Now()); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return result, nil
}

// stereoGenotype finds the architecture to train, as [Job.genotype] does.
func (j *Job) stereoGenotype() (genotype.Genotype, error) {
	if j.Resume {
		return genotype.Load(filepath.Join(j.Out, run.GenotypeFile))
	}
	name := j.Config.Train.Genotype
	if name == "" {
		return genotype.Genotype{}, fmt.Errorf("%w: train.genotype is empty; name a preset (%v) or a genotype.json of a stereo search with --genotype",
			config.ErrInvalid, genotype.Presets(stereo.Feature, stereo.Matching))
	}
	return ResolveStereoGenotype(name)
}

// ResolveStereoGenotype is the stereo genotype of a preset or a file. A genotype for
// classification is told as such.
func ResolveStereoGenotype(name string) (genotype.Genotype, error) {
	g, err := genotype.Resolve(name)
	if err == nil && !g.Has(stereo.Feature, stereo.Matching) {
		err = fmt.Errorf("%w: %s is a genotype for image classification; data.name = \"stereo\" needs one of a stereo search, such as %v",
			config.ErrInvalid, name, genotype.Presets(stereo.Feature, stereo.Matching))
	}
	return g, err
}

// ResolveGenotype is the genotype for classification of a preset or a file. A
// genotype for stereo is told as such.
func ResolveGenotype(name string) (genotype.Genotype, error) {
	g, err := genotype.Resolve(name)
	if err == nil && !g.Has(genotype.Normal) {
		err = fmt.Errorf("%w: %s is a genotype for stereo; it trains with data.name = \"stereo\", as in --config stereo-synthetic", config.ErrInvalid, name)
	}
	return g, err
}

// stereoTrainer is a running training.
type stereoTrainer struct {
	job     *Job
	c       *config.Config
	sets    *recordings
	loader  *data.Loader
	net     *stereo.Network
	descent *StereoStep
	dgs     *surrogates
	loop    *loop
	total   int64
}

func newStereoTrainer(j *Job, m machine, sets *recordings, g genotype.Genotype) (*stereoTrainer, error) {
	c := j.Config
	t := &stereoTrainer{job: j, c: c, sets: sets}
	var err error
	if t.loader, err = sets.loader(c, sets.parts.Train, c.Stereo.Steps, c.Train.Batch, uint64(c.Run.Seed)); err != nil {
		return nil, err
	}
	o := StereoTrainOptions(c, sets.set.Channels(), m.precision)
	if t.net, err = stereo.NewNetwork(m.device, g, o); err != nil {
		return nil, err
	}
	if t.descent, err = NewStereoStep(t.net, c); err != nil {
		return nil, errors.Join(err, t.net.Close())
	}
	stage := &stereoStage{device: m.device, meter: newMeter(m.device), run: t.descent.Run}
	t.total = int64(c.Train.Epochs) * int64(t.loader.Batches())
	t.loop = &loop{
		job: j, device: m.device, epochs: c.Train.Epochs, label: "train", key: "train",
		work: newWork(t.loader, func(s *torch.Scope, b *data.Batch) error {
			t.descent.Optimizer.SetLearningRate(t.rate())
			return stage.step(s, b)
		}),
		every:  time.Duration(c.Train.CheckpointMinutes * float64(time.Minute)),
		meters: []*meter{stage.meter}, words: stereoWords, ended: t.epochEnded,
		groups: []group{
			{prefix: "network", variables: t.net.Variables()},
			{prefix: "optimizer", optimizer: t.descent.Optimizer},
		},
		at: position{Phase: phaseTrain, Architecture: stereoFingerprint(g, o)},
	}
	if t.dgs, err = newSurrogates(t.loop, subject{
		layers: t.net.SpikingLayers, buffers: t.net.Buffers, rate: t.rate, losses: t.losses, scale: LossScale(t.net.Options.Precision),
	}); err != nil {
		t.close()
		return nil, err
	}
	t.loop.before = t.dgs.before
	return t, nil
}

// losses are the losses of an epoch's batches; see [subject].
func (t *stereoTrainer) losses(ctx context.Context, epoch, first int, use func(dgs.Loss) (more bool, err error)) error {
	return stereoLosses(ctx, t.loop.device, t.loader, epoch, first, func(s *torch.Scope, b stereoBatch) torch.Tensor {
		loss, _ := t.descent.forward(search.Pass{Scope: s, Mode: torch.Train}, b)
		return loss
	}, func(loss func(*torch.Scope) torch.Tensor) (bool, error) { return use(loss) })
}

// start opens the run. A new one keeps its genotype.
func (t *stereoTrainer) start(m machine) error {
	if err := t.loop.start(m); err != nil || t.job.Resume {
		return err
	}
	return writeGenotype(t.loop.folder, t.net.Genotype)
}

// rate is the learning rate at the present step.
func (t *stereoTrainer) rate() float64 {
	c := &t.c.Train
	if len(t.c.Stereo.Milestones) == 0 {
		return torch.Cosine(c.LR, c.LRMin, float64(t.loop.at.Step)/float64(t.total))
	}
	rate := c.LR
	for _, epoch := range t.c.Stereo.Milestones {
		if t.loop.at.Step >= int64(epoch)*int64(t.loader.Batches()) {
			rate *= t.c.Stereo.Decay
		}
	}
	return rate
}

// epochEnded measures the validation frames when it is time, keeps the best network,
// and writes the records of an epoch.
func (t *stereoTrainer) epochEnded(ctx context.Context, facts epochFacts) (string, error) {
	r, err := t.loop.meters[0].read()
	if err != nil {
		return "", err
	}
	if err := r.checkFinite("train"); err != nil {
		return "", err
	}
	epoch, rate := t.loop.at.Epoch+1, t.rate()
	fields := []run.Field{
		run.F("epoch", epoch), run.F("step", t.loop.at.Step), run.F("loss", r.meanLoss()), run.F("one_pixel_accuracy", r.top1()), run.F("lr", rate),
	}
	scalars := []scalar{{"train/loss", r.meanLoss()}, {"train/one_pixel_accuracy", r.top1()}, {"train/lr", rate}}
	summary := stereoWords(r)
	if len(t.sets.parts.Validation) > 0 && (epoch%t.c.Train.EvalEvery == 0 || epoch == t.c.Train.Epochs) {
		e, err := stereoJudge{t.c, t.sets, t.loop.device}.judge(ctx, t.net, t.sets.parts.Validation, nil, nil)
		if err != nil {
			return "", err
		}
		t.loop.at.Accuracy = &e.OnePixelAccuracy
		fields = append(fields, run.F("validation_loss", e.Loss), run.F("validation_one_pixel_accuracy", e.OnePixelAccuracy),
			run.F("validation_mean_disparity_error_px", e.MeanDisparityError), run.F("validation_mean_depth_error_cm", e.MeanDepthError),
			run.F("validation_median_depth_error_cm", e.MedianDepthError), run.F("validation_near_zero", e.NearZero))
		scalars = append(scalars, scalar{"validation/loss", e.Loss}, scalar{"validation/one_pixel_accuracy", e.OnePixelAccuracy},
			scalar{"validation/mean_disparity_error_px", e.MeanDisparityError})
		summary += fmt.Sprintf(", validation 1PA %.2f %%, %.3f px", e.OnePixelAccuracy, e.MeanDisparityError)
		if best := t.loop.at.Best; best == nil || e.OnePixelAccuracy > *best {
			t.loop.at.Best = &e.OnePixelAccuracy
			if err := t.keepBest(epoch); err != nil {
				return "", err
			}
			summary += ", the best so far"
		}
	}
	readings, err := t.dgs.measure(ctx)
	if err != nil {
		return "", err
	}
	fields = append(fields, facts.wall(r.Images)...)
	if err := t.loop.metrics.Log("train_epoch", fields...); err != nil {
		return "", fmt.Errorf("train: metrics: %w", err)
	}
	if err := t.dgs.note(readings); err != nil {
		return "", err
	}
	return summary, t.loop.scalars(scalars...)
}

// keepBest saves the network as the best one. The file says how far the training was
// and can be read like any checkpoint; resuming takes the last one.
func (t *stereoTrainer) keepBest(epochs int) error {
	at := t.loop.at
	at.Epoch, at.Batch, at.Noted, at.Meters = epochs, 0, reading{}, nil
	at.Records = t.loop.metrics.Records()
	return writeCheckpoint(t.bestPath(), at, t.loop.device, t.loop.groups[:1])
}

func (t *stereoTrainer) bestPath() string {
	return t.loop.folder.Path(run.CheckpointDir, BestCheckpointFile)
}

// finish measures the best network on the test frames, and draws some of them.
func (t *stereoTrainer) finish(ctx context.Context) (StereoEvaluation, error) {
	path := t.bestPath()
	if t.loop.at.Best == nil {
		path = t.loop.checkpointPath() // without validation frames the last is as good as any
	}
	saved, err := readCheckpoint(path)
	if err != nil {
		return StereoEvaluation{}, err
	}
	defer saved.close()
	net, err := stereo.NewNetwork(t.loop.device, t.net.Genotype, t.net.Options)
	if err != nil {
		return StereoEvaluation{}, err
	}
	defer net.Close()
	if err := saved.assign(net.Variables(), "network"); err != nil {
		return StereoEvaluation{}, err
	}
	frames := len(t.sets.parts.Test)
	gallery := newGallery(t.loop.folder, frames)
	t.job.Progress.Start("test", "frames", frames, 0)
	e, err := stereoJudge{t.c, t.sets, t.loop.device}.compare(ctx, net, gallery.look, func(n int) { t.job.Progress.Add(n, "") })
	if err != nil {
		t.job.Progress.Stop()
		return e, err
	}
	t.job.Progress.End(fmt.Sprintf("1PA %.2f %% (block matching %.2f %%, constant %.2f %%)",
		e.OnePixelAccuracy, e.BlockMatching.OnePixelAccuracy, e.Constant.OnePixelAccuracy))
	e.Checkpoint, e.Epoch = filepath.Join(run.CheckpointDir, filepath.Base(path)), saved.at.Epoch
	if err := writeStereoEvaluation(t.loop.folder, e); err != nil {
		return e, err
	}
	err = t.loop.metrics.Log("test", run.F("epoch", saved.at.Epoch), run.F("loss", e.Loss), run.F("one_pixel_accuracy", e.OnePixelAccuracy),
		run.F("mean_disparity_error_px", e.MeanDisparityError), run.F("mean_depth_error_cm", e.MeanDepthError),
		run.F("median_depth_error_cm", e.MedianDepthError), run.F("frames", e.Frames),
		run.F("block_matching_one_pixel_accuracy", e.BlockMatching.OnePixelAccuracy), run.F("constant_one_pixel_accuracy", e.Constant.OnePixelAccuracy))
	if err != nil {
		return e, fmt.Errorf("train: metrics: %w", err)
	}
	return e, nil
}

func (t *stereoTrainer) close() {
	// Closing frees memory; records were synced with the last checkpoint.
	_ = t.loop.close()
	_ = t.descent.Close()
	_ = t.net.Close()
}
