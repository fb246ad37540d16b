package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// TrainResult is what a training reached.
type TrainResult struct {
	// Task is what the network is for.
	Task task.Task
	// Folder is the run folder.
	Folder *run.Folder
	// Genotype is the architecture that was trained.
	Genotype genotype.Genotype
	// Evaluation is the last one on the test data: in the course of a training without
	// validation data, else of its best network in the end. Nil where there was none yet.
	Evaluation task.Evaluation
	// Score is that of the task on the test data in percent, nil where it was not measured
	// yet; the checkpoint of a resumed run knows it without the evaluation.
	Score *float64
	// Steps is the number of steps done.
	Steps int64
}

// Train trains the network of a genotype from fresh weights. The genotype is
// [config.Train.Genotype]: a preset's name or a file. Where there are validation data the
// network that is best on them is kept, and the test data are looked at once, in the end.
func Train(ctx context.Context, job Job) (*TrainResult, error) {
	defer torch.Pin()() // from the first tensor on
	j := job.withDefaults()
	if err := j.begin(); err != nil {
		return nil, err
	}
	g, err := j.genotype()
	if err != nil {
		return nil, err
	}
	if err := j.adopt(g); err != nil {
		return nil, err
	}
	m, problem, err := j.open(ctx, task.Train)
	if err != nil {
		return nil, err
	}
	t, err := newTrainer(&j, m, problem, g)
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
	result := &TrainResult{Task: j.task, Folder: t.loop.folder, Genotype: g, Evaluation: t.last, Steps: t.loop.at.Step}
	if problem.Watched() == task.Test {
		result.Score = t.loop.at.Accuracy
	}
	if t.loop.early() {
		return result, nil
	}
	if problem.Watched() != task.Test {
		if result.Evaluation, err = t.finish(ctx); err != nil {
			if contextEnded(err) {
				// The checkpoint of the last epoch is there: only the test is done again.
				j.Log.Info("interrupted while the test data were measured", "checkpoint", t.loop.checkpointPath())
				return nil, fmt.Errorf("%s: %w", t.loop.folder.Dir(), ErrInterrupted)
			}
			return nil, err
		}
		percent := result.Evaluation.Percent()
		result.Score = &percent
	}
	return result, t.loop.finish()
}

// trainer is a running training.
type trainer struct {
	job     *Job
	c       *config.Config
	problem task.Problem
	g       genotype.Genotype
	machine machine
	net     task.Network
	descent *Step
	dgs     *surrogates
	loop    *loop
	last    task.Evaluation
}

func newTrainer(j *Job, m machine, problem task.Problem, g genotype.Genotype) (*trainer, error) {
	c := j.Config
	t := &trainer{job: j, c: c, problem: problem, g: g, machine: m}
	loader, err := problem.Training(m.device)
	if err != nil {
		return nil, err
	}
	if t.net, err = problem.Network(m.device, m.precision, g); err != nil {
		return nil, errors.Join(err, loader.Close())
	}
	if t.descent, err = NewNetworkStep(t.net, &c.Train.Learning); err != nil {
		return nil, errors.Join(err, loader.Close(), t.net.Close())
	}
	work := newRepeated(loader, m, t.descent, m.recorder(j))
	t.loop = &loop{
		job: j, device: m.device, loader: loader, step: work.do, c: &c.Train.Learning,
		steps: []*repeated{work}, ended: t.epochEnded,
		groups: []group{
			{prefix: "network", variables: t.net.Variables()},
			{prefix: "optimizer", optimizer: t.descent.Optimizer},
		},
		at: position{Phase: phaseTrain, Architecture: t.net.Identity()},
	}
	if t.dgs, err = newSurrogates(t.loop, t.net); err != nil {
		t.close()
		return nil, err
	}
	t.loop.before = t.dgs.before
	return t, nil
}

// start opens the run. A new one keeps its genotype; a resumed one knows its last
// evaluation.
func (t *trainer) start(m machine) error {
	if err := t.loop.start(m); err != nil {
		return err
	}
	if !t.job.Resume {
		return writeGenotype(t.loop.folder, t.g)
	}
	if t.loop.at.Accuracy != nil && t.problem.Watched() == task.Test {
		t.last = readEvaluation(t.loop.folder, t.job.task)
	}
	return nil
}

// epochEnded measures the network when it is time, keeps the best one, and writes the
// records of an epoch.
func (t *trainer) epochEnded(ctx context.Context, facts epochFacts) (string, error) {
	r, err := t.loop.reading()
	if err != nil {
		return "", err
	}
	epoch, rate := t.loop.at.Epoch+1, t.loop.rate()
	fields, scalars := []run.Field{run.F("lr", rate)}, []task.Scalar{{Tag: "train/lr", Value: rate}}
	summary := r.words(t.loop.score())
	if part := t.problem.Watched(); part != "" && (epoch%t.c.Train.EvalEvery == 0 || epoch == t.c.Train.Epochs) {
		e, err := t.net.Evaluate(ctx, part, task.Measuring{})
		if err != nil {
			return "", err
		}
		percent := e.Percent()
		t.loop.at.Accuracy = &percent
		for _, n := range e.Fields() {
			fields = append(fields, run.F(string(part)+"_"+n.Name, n.Value))
			if x, ok := n.Value.(float64); ok && n.Chart {
				scalars = append(scalars, task.Scalar{Tag: string(part) + "/" + n.Name, Value: x})
			}
		}
		summary += fmt.Sprintf(", %s %s", part, e)
		if part == task.Test {
			t.last = e
			err = writeEvaluation(t.loop.folder, e)
		} else if best := t.loop.at.Best; best == nil || percent > *best {
			t.loop.at.Best = &percent
			summary += ", the best so far"
			err = t.keepBest(epoch)
		}
		if err != nil {
			return "", err
		}
	}
	readings, err := t.dgs.measure(ctx)
	if err != nil {
		return "", err
	}
	if err := t.loop.record(facts, r, r.Images, fields...); err != nil {
		return "", err
	}
	if err := t.dgs.note(readings); err != nil {
		return "", err
	}
	return summary, t.loop.chart(r, scalars...)
}

// keepBest saves the network as the best one. The file says how far the training was
// and can be read like any checkpoint; resuming takes the last one.
func (t *trainer) keepBest(epochs int) error {
	at := t.loop.at
	at.Epoch, at.Batch, at.Noted, at.Meters = epochs, 0, reading{}, nil
	at.Records = t.loop.metrics.Records()
	return writeCheckpoint(t.loop.folder.Path(run.CheckpointDir, BestCheckpointFile), at, t.loop.device, t.loop.groups[:1])
}

// finish measures the best network on the test data, and draws some of them. Without
// validation data the last network is as good as any.
func (t *trainer) finish(ctx context.Context) (task.Evaluation, error) {
	file := BestCheckpointFile
	if t.loop.at.Best == nil {
		file = CheckpointFile
	}
	saved, err := readCheckpoint(t.loop.folder.Path(run.CheckpointDir, file))
	if err != nil {
		return nil, err
	}
	defer saved.close()
	net, err := saved.network(t.problem, t.machine, t.g)
	if err != nil {
		return nil, err
	}
	defer net.Close()
	e, err := measureTest(ctx, net, "test", t.job.Progress, t.loop.folder)
	if err != nil {
		return nil, err
	}
	e = e.From(filepath.Join(run.CheckpointDir, file), saved.at.Epoch)
	if err := writeEvaluation(t.loop.folder, e); err != nil {
		return nil, err
	}
	fields := []run.Field{run.F("epoch", saved.at.Epoch)}
	for _, n := range e.Fields() {
		fields = append(fields, run.F(n.Name, n.Value))
	}
	return e, t.loop.log("test", fields...)
}

func (t *trainer) close() {
	// Closing frees memory; records were synced with the last checkpoint.
	_ = t.loop.close()
	_ = t.descent.Close()
	_ = t.net.Close()
}
