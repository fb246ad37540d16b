package reproduce

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/run"
)

// Activity is what an evaluation says about sparsity and energy, as far as tables and
// figures need it. Operations and energy are for one image; energy is 0.9 pJ an
// addition and 4.6 pJ a multiply-accumulate (section 5 of the paper).
type Activity struct {
	// FiringRate is the share of all neurons that fire in a time step, 0..1.
	FiringRate float64 `json:"firing_rate"`
	// Dense are the multiply-accumulates of one pass as an ANN.
	Dense     float64 `json:"dense_macs"`
	Additions float64 `json:"additions"`
	MACs      float64 `json:"macs"`
	Energy    float64 `json:"energy_mj"`
	// ANNEnergy is that of the same layers in an ANN, which runs once.
	ANNEnergy float64 `json:"ann_energy_mj"`
	// Ratio is ANNEnergy over Energy.
	Ratio   float64          `json:"energy_ratio"`
	Neurons []NeuronActivity `json:"neurons,omitempty"`
}

// NeuronActivity is the firing rate of a layer of neurons, 0..1.
type NeuronActivity struct {
	Name string  `json:"name"`
	Rate float64 `json:"rate"`
}

// counts reports whether evaluations of this build count spikes.
func counts() bool {
	_, ok := reflect.TypeFor[train.Evaluation]().FieldByName("Activity")
	return ok
}

// counted reports whether the evaluation of a run has counted spikes.
func counted(folder *run.Folder) bool {
	text, err := os.ReadFile(folder.Path(train.EvaluationFile))
	if err != nil {
		return false
	}
	var e struct {
		Activity *Activity `json:"activity"`
	}
	return json.Unmarshal(text, &e) == nil && e.Activity != nil
}

// measure makes the last evaluation of a training count spikes, where this build can
// and the training has not.
func measure(ctx context.Context, dir string, progress *run.Progress) error {
	folder, err := run.Open(dir)
	if err != nil || !counts() || folder.Info().Ended.IsZero() || counted(folder) {
		return err
	}
	trained, err := train.Open(ctx, dir, "", "")
	if err != nil {
		return err
	}
	defer trained.Close()
	e, err := trained.Evaluate(ctx, progress)
	if err != nil {
		return err
	}
	if err := folder.Write(train.EvaluationFile, func(w io.Writer) error { return json.NewEncoder(w).Encode(e) }); err != nil {
		return fmt.Errorf("reproduce: %w", err)
	}
	return nil
}
