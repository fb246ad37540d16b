package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// modelFormat is the version of the exported models that this program writes where
// their input has time, and the last one that it reads; other models are plainFormat.
const (
	plainFormat = 1
	modelFormat = 2
)

// ModelInfoFile is the name of the description inside an exported archive.
const ModelInfoFile = "spikedhs.json"

// ModelInfo describes an exported model; it is stored in the archive.
type ModelInfo struct {
	Format int `json:"format"`
	// Kind is empty for a classification network; package stream has others.
	Kind    string   `json:"kind,omitempty"`
	Version string   `json:"version"`
	Dataset string   `json:"dataset"`
	Classes []string `json:"classes"`
	// Steps is T.
	Steps int `json:"steps"`
	// Channels, Height and Width are those of the images that the model takes,
	// float32 in 0..1; padding and normalisation are inside.
	Channels int `json:"channels"`
	Height   int `json:"height"`
	Width    int `json:"width"`
	// Events, where given, says that the model takes stacks [N, T, C, H, W] of
	// recordings of events, and how these are made. Channels are those of a step.
	Events   *EventInput       `json:"events,omitempty"`
	Genotype genotype.Genotype `json:"genotype"`
	// Top1 is the accuracy on the test images in percent, absent if unknown.
	Top1       *float64 `json:"top1,omitempty"`
	Parameters int64    `json:"parameters"`
}

// Export writes the folded network as a TorchScript archive, atomically. top1
// may be nil.
func (t *Trained) Export(path, version string, top1 *float64) error {
	p, err := t.Network.Program(t.sets.input())
	if err != nil {
		return err
	}
	defer p.Close()
	info := ModelInfo{
		Format: plainFormat, Version: version, Dataset: t.config.Data.Name, Classes: t.sets.train.Classes(),
		Steps: t.Network.Options.Steps, Channels: t.sets.channels, Height: t.sets.height, Width: t.sets.width,
		Genotype: t.Network.Genotype, Top1: top1,
	}
	if info.Events = eventInput(t.sets.train); info.Events != nil {
		info.Format = modelFormat
	}
	if info.Parameters, err = t.Network.Parameters(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	instructions, err := p.Description()
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	// libtorch writes to a path of its own and names the archive's folder after
	// it, so the file is made whole in a folder beside its place.
	scratch, err := os.MkdirTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, filepath.Base(path))
	if err := export.TorchScript(p, map[string]string{ModelInfoFile: string(text), graph.ProgramFile: instructions}).Save(made); err != nil {
		return err
	}
	return run.WriteFileAtomic(path, func(w io.Writer) error {
		f, err := os.Open(made)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
}

// Agreement is how well an exported model and the network it came from agree.
type Agreement struct {
	// Images is the number of test images compared.
	Images int `json:"images"`
	// MaxDifference is the largest absolute difference of two logits.
	MaxDifference float64 `json:"max_difference"`
	// SameClass is the number of images with the same first guess.
	SameClass int `json:"same_class"`
}

// ErrDisagree is wrapped by the error of an export that does not agree.
var ErrDisagree = errors.New("the exported model and the network disagree")

// agreementTolerance is the largest difference of logits that is accepted.
const agreementTolerance = 1e-4

// Check loads the script of an exported model back and compares it, operator by
// operator the same, with the network on the
// first images of the test set, at most as many as told.
func (t *Trained) Check(ctx context.Context, path string, count int) (Agreement, error) {
	defer torch.Pin()()
	var a Agreement
	script, err := torch.LoadScript(path, t.machine.device)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrModel, err)
	}
	defer script.Close()
	p, err := t.Network.Program(t.sets.input())
	if err != nil {
		return a, err
	}
	defer p.Close()
	set := t.sets.test
	if count < set.Len() {
		first := make([]int, count)
		for i := range first {
			first[i] = i
		}
		if set, err = data.Subset(set, first); err != nil {
			return a, err
		}
	}
	loader, err := t.sets.plainLoader(t.config, set)
	if err != nil {
		return a, err
	}
	batches := loader.Epoch(ctx, 0, 0)
	defer batches.Close()
	for {
		b, err := batches.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return a, fmt.Errorf("train: check export: %w", err)
		}
		s := torch.NewInference()
		images := withTime(s, set, toDevice(s, t.machine.device, b).images)
		want, err := torch.ToSlice[float32](p.Run(s, images))
		if err == nil {
			var have []float32
			if have, err = torch.ToSlice[float32](script.Forward(s, images)); err == nil {
				a.compare(want, have, b.N)
			}
		}
		if failed := s.Close(); failed != nil {
			err = failed
		}
		if err != nil {
			return a, fmt.Errorf("train: check export: %w", err)
		}
		b.Release()
	}
	if !(a.MaxDifference <= agreementTolerance) || a.SameClass != a.Images {
		return a, fmt.Errorf("%w: logits differ by up to %.2g (allowed %.0e), %d of %d images have the same class",
			ErrDisagree, a.MaxDifference, agreementTolerance, a.SameClass, a.Images)
	}
	return a, nil
}

func (a *Agreement) compare(want, have []float32, n int) {
	for i := range want {
		d := math.Abs(float64(want[i]) - float64(have[i]))
		a.MaxDifference = max(a.MaxDifference, d) // NaN once there is one
	}
	width := len(want) / n
	for i := range n {
		if argmax(want[i*width:(i+1)*width]) == argmax(have[i*width:(i+1)*width]) {
			a.SameClass++
		}
	}
	a.Images += n
}

func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
