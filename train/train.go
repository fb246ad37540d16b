package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// TrainResult is what a training reached.
type TrainResult struct {
	// Folder is the run folder.
	Folder *run.Folder
	// Genotype is the architecture that was trained.
	Genotype genotype.Genotype
	// Evaluation is the last evaluation on the test images.
	Evaluation Evaluation
	// Steps is the number of steps done.
	Steps int64
}

// Train trains the network of a genotype from fresh weights. The genotype is
// [config.Train.Genotype]: a preset's name or a file.
func Train(ctx context.Context, job Job) (*TrainResult, error) {
	defer torch.Pin()() // from the first tensor on
	j := job.withDefaults()
	if err := j.refuseStereo(); err != nil {
		return nil, err
	}
	if j.Resume {
		if err := j.adoptRecorded(); err != nil {
			return nil, err
		}
		if err := j.resumeConfig(); err != nil {
			return nil, err
		}
	}
	g, err := j.genotype()
	if err != nil {
		return nil, err
	}
	if err := j.adopt(g); err != nil {
		return nil, err
	}
	m, err := j.setUp()
	if err != nil {
		return nil, err
	}
	sets, err := openImagesAt(ctx, j.Config, j.Config.Network.Steps, j.Log)
	if err != nil {
		return nil, err
	}
	t, err := newTrainer(&j, m, sets, g)
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
	result := &TrainResult{Folder: t.loop.folder, Genotype: g, Evaluation: t.last, Steps: t.loop.at.Step}
	if t.loop.full() {
		return result, nil
	}
	if err := t.loop.folder.MarkEnded(time.Now()); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return result, nil
}

// genotype finds the architecture to train: that of the run folder when a run
// is resumed, else the configured one.
func (j *Job) genotype() (genotype.Genotype, error) {
	if j.Resume {
		return genotype.Load(filepath.Join(j.Out, run.GenotypeFile))
	}
	name := j.Config.Train.Genotype
	if name == "" {
		return genotype.Genotype{}, fmt.Errorf("%w: train.genotype is empty; name a preset (%v) or a genotype.json with --genotype",
			config.ErrInvalid, genotype.Presets(genotype.Normal))
	}
	return ResolveGenotype(name)
}

// trainer is a running training.
type trainer struct {
	job     *Job
	c       *config.Config
	sets    *images
	net     *search.Network
	descent *NetworkStep
	stage   *stage
	dgs     *surrogates
	loop    *loop
	total   int64
	last    Evaluation
}

// trainOptions are the options of the network that a configuration trains.
func trainOptions(c *config.Config, sets *images, m machine) search.Options {
	return TrainOptions(c, sets.channels, len(sets.train.Classes()), m.precision)
}

func newTrainer(j *Job, m machine, sets *images, g genotype.Genotype) (*trainer, error) {
	c := j.Config
	t := &trainer{job: j, c: c, sets: sets}
	loader, err := sets.loader(c, sets.train, c.Train.Batch, uint64(c.Run.Seed), data.Augment{
		CropPadding: c.Train.CropPadding, Flip: c.Train.Flip, Cutout: c.Train.Cutout,
	})
	if err != nil {
		return nil, err
	}
	o := trainOptions(c, sets, m)
	if t.net, err = search.NewNetwork(m.device, g, o); err != nil {
		return nil, err
	}
	if t.descent, err = NewNetworkStep(t.net, &c.Train); err != nil {
		return nil, err
	}
	feed, err := newFeed(c, m.device, loader, c.Train.Batch)
	if err != nil {
		return nil, errors.Join(err, t.descent.Close(), t.net.Close())
	}
	t.stage = newStage(feed, m, t.descent.Optimizer, t.descent.Lower, m.recorder(j))
	t.total = int64(c.Train.Epochs) * int64(loader.Batches())
	t.loop = &loop{
		job: j, device: m.device, work: newWork(feed.loader, t.step), epochs: c.Train.Epochs, label: "train", key: "train",
		every:  time.Duration(c.Train.CheckpointMinutes * float64(time.Minute)),
		meters: []*meter{t.stage.meter}, stages: []*stage{t.stage},
		ended: t.epochEnded, warn: func() { warnOfCorrupt(j.Log, data.Train, feed.loader.Set()) },
		groups: []group{
			{prefix: "network", variables: t.net.Variables()},
			{prefix: "optimizer", optimizer: t.descent.Optimizer},
		},
		at: position{Phase: phaseTrain, Architecture: fingerprint(g, o)},
	}
	if t.dgs, err = newSurrogates(t.loop, t.subject()); err != nil {
		t.close()
		return nil, err
	}
	t.loop.before = t.dgs.before
	return t, nil
}

// subject is the training as the search of surrogates sees it.
func (t *trainer) subject() subject {
	return subject{
		layers: t.net.SpikingLayers, buffers: t.net.Buffers, rate: t.rate, losses: t.losses, scale: LossScale(t.net.Options.Precision),
	}
}

// losses are the losses of an epoch's batches; see [subject].
func (t *trainer) losses(ctx context.Context, epoch, first int, use func(dgs.Loss) (more bool, err error)) error {
	feed := t.stage.feed
	return eachBatch(ctx, feed.loader, epoch, first, func(s *torch.Scope, b *data.Batch) (bool, error) {
		on := feed.batch(s, feed.upload(s, b), b.N)
		if err := s.Err(); err != nil {
			return false, err
		}
		return use(func(s *torch.Scope) torch.Tensor {
			total, _, _ := t.descent.forward(search.Pass{Scope: s, Mode: torch.Train}, on.images, on.labels)
			return total
		})
	})
}

// start opens the run. A new one keeps its genotype; a resumed one knows its last
// accuracy.
func (t *trainer) start(m machine) error {
	if err := t.loop.start(m); err != nil {
		return err
	}
	if !t.job.Resume {
		return writeGenotype(t.loop.folder, t.net.Genotype)
	}
	if t.loop.at.Accuracy != nil {
		t.last.Top1 = *t.loop.at.Accuracy
	}
	return nil
}

// rate is the learning rate at the present step.
func (t *trainer) rate() float64 {
	return torch.Cosine(t.c.Train.LR, t.c.Train.LRMin, float64(t.loop.at.Step)/float64(t.total))
}

// step is one step of the weights on a batch.
func (t *trainer) step(s *torch.Scope, b *data.Batch) error {
	t.descent.Optimizer.SetLearningRate(t.rate())
	return t.stage.step(s, b)
}

// epochEnded evaluates when it is time and writes the records of an epoch.
func (t *trainer) epochEnded(ctx context.Context, facts epochFacts) (string, error) {
	r, err := t.loop.meters[0].read()
	if err != nil {
		return "", err
	}
	if err := r.checkFinite("train"); err != nil {
		return "", err
	}
	epoch := t.loop.at.Epoch + 1
	rate := t.rate()
	fields := []run.Field{
		run.F("epoch", epoch), run.F("step", t.loop.at.Step), run.F("loss", r.meanLoss()), run.F("top1", r.top1()), run.F("lr", rate),
	}
	scalars := []scalar{{"train/loss", r.meanLoss()}, {"train/top1", r.top1()}, {"train/lr", rate}}
	summary := r.String()
	if epoch%t.c.Train.EvalEvery == 0 || epoch == t.c.Train.Epochs {
		e, err := t.evaluate(ctx)
		if err != nil {
			return "", err
		}
		t.last, t.loop.at.Accuracy = e, &e.Top1
		if err := writeEvaluation(t.loop.folder, e); err != nil {
			return "", err
		}
		fields = append(fields, run.F("test_loss", t.last.Loss), run.F("test_top1", t.last.Top1), run.F("test_top5", t.last.Top5))
		scalars = append(scalars, scalar{"test/loss", t.last.Loss}, scalar{"test/top1", t.last.Top1})
		summary += fmt.Sprintf(", test top-1 %.2f %%", t.last.Top1)
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

// evaluate measures the network, folded, on the test images.
func (t *trainer) evaluate(ctx context.Context) (Evaluation, error) {
	p, err := t.net.Program(t.sets.input())
	if err != nil {
		return Evaluation{}, err
	}
	defer p.Close()
	loader, err := t.sets.plainLoader(t.c, t.sets.test)
	if err != nil {
		return Evaluation{}, err
	}
	e, err := evaluateProgram(ctx, p, t.net.Options, t.c, t.loop.device, loader, nil)
	if err != nil {
		return Evaluation{}, err
	}
	warnOfCorrupt(t.job.Log, data.Test, t.sets.test)
	e.Classes = t.sets.test.Classes()
	e.Parameters, err = t.net.Parameters()
	return e, err
}

func (t *trainer) close() {
	// Closing frees memory; records were synced with the last checkpoint.
	_ = t.loop.close()
	_ = t.descent.Close()
	_ = t.net.Close()
}
