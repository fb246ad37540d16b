package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/registry"
)

// EvaluationFile is where a run folder keeps its last evaluation on the test data.
const EvaluationFile = "evaluation.json"

func writeEvaluation(folder *run.Folder, e task.Evaluation) error {
	err := folder.Write(EvaluationFile, func(w io.Writer) error { return json.NewEncoder(w).Encode(e) })
	if err != nil {
		return fmt.Errorf("train: write evaluation: %w", err)
	}
	return nil
}

// readEvaluation is what writeEvaluation wrote last, nil where it cannot be read.
func readEvaluation(folder *run.Folder, t task.Task) task.Evaluation {
	text, err := os.ReadFile(folder.Path(EvaluationFile))
	if err != nil {
		return nil
	}
	e, err := t.Evaluation(text)
	if err != nil {
		return nil
	}
	return e
}

// measureTest measures a network on the test data, with baselines; folder, where given,
// gets pictures.
func measureTest(ctx context.Context, n task.Network, label string, progress *run.Progress, folder *run.Folder) (task.Evaluation, error) {
	count, unit, err := n.Size(task.Test)
	if err != nil {
		return nil, err
	}
	progress.Start(label, unit, count, 0)
	e, err := n.Evaluate(ctx, task.Test, task.Measuring{Final: true, Pictures: folder, Tick: func(n int) { progress.Add(n, "") }})
	if err != nil {
		progress.Stop()
		return nil, err
	}
	progress.End(e.String())
	return e, nil
}

// Trained is a finished network read from a run folder.
type Trained struct {
	Folder *run.Folder
	// Task is what the network is for.
	Task    task.Task
	Network task.Network
	// Config is the configuration of the run, with the device that was asked for.
	Config *config.Config
	// Device is where the network is.
	Device torch.Device
	// Checkpoint is the file of the weights; Epoch the epochs that they were trained for.
	Checkpoint string
	Epoch      int
	// Score is that of the task, in percent, as the training measured it last: on the
	// validation data where there are some (Validated), else on the test data. Nil if it
	// never did.
	Score     *float64
	Validated bool
}

// Open reads the network of a run folder. checkpoint names other weights than the run's
// best on the validation data (its last, where there is no best), and device overrides
// the run's ("" keeps it).
func Open(ctx context.Context, dir, checkpoint, device string) (*Trained, error) {
	folder, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	c := *folder.Config()
	if device != "" {
		c.Run.Device = device
	}
	t := &Trained{Folder: folder, Task: registry.Of(&c), Config: &c, Checkpoint: checkpoint}
	m, err := setUpToUse(&c)
	if err != nil {
		return nil, err
	}
	t.Device = m.device
	g, err := genotype.Load(folder.Path(run.GenotypeFile))
	if err != nil {
		return nil, err
	}
	problem, err := t.Task.Open(ctx, &c, task.Use, nil)
	if err != nil {
		return nil, err
	}
	if t.Checkpoint == "" {
		t.Checkpoint = folder.Path(run.CheckpointDir, BestCheckpointFile)
		if _, err := os.Stat(t.Checkpoint); errors.Is(err, os.ErrNotExist) {
			t.Checkpoint = folder.Path(run.CheckpointDir, CheckpointFile)
		}
	}
	saved, err := readCheckpoint(t.Checkpoint)
	if err != nil {
		return nil, err
	}
	defer saved.close()
	t.Epoch, t.Score, t.Validated = saved.at.Epoch, saved.at.Accuracy, saved.at.Best != nil
	if t.Network, err = saved.network(problem, m, g); err != nil {
		return nil, err
	}
	return t, nil
}

// Close frees the network.
func (t *Trained) Close() error { return t.Network.Close() }

// Evaluate measures the network, and baselines where the task has some, on the test data
// of the run.
func (t *Trained) Evaluate(ctx context.Context, progress *run.Progress) (task.Evaluation, error) {
	if progress == nil {
		progress = run.NewProgress(io.Discard)
	}
	e, err := measureTest(ctx, t.Network, "evaluate", progress, nil)
	if err != nil {
		return nil, err
	}
	return e.From(t.Checkpoint, t.Epoch), nil
}
