package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// checkpointFormat is the version of the checkpoints that this program writes.
const checkpointFormat = 1

// Checkpoints that a run keeps, in its checkpoints folder: the last one, and the one with
// the best score on the validation data, where there are some.
const (
	CheckpointFile     = "last.safetensors"
	BestCheckpointFile = "best.safetensors"
)

// ErrCheckpoint is wrapped by errors about checkpoints that are damaged or
// belong to another network.
var ErrCheckpoint = errors.New("unusable checkpoint")

// Phases of a run, as checkpoints name them.
const (
	phaseSearch = "search"
	phaseTrain  = "train"
)

// position is where in a run a checkpoint was made.
type position struct {
	Format int `json:"format"`
	// Phase is "search" or "train".
	Phase string `json:"phase"`
	// Architecture identifies the network; see [task.Model].
	Architecture string `json:"architecture"`
	// Epoch and Batch are the next ones to do, Step the number of steps done.
	Epoch int   `json:"epoch"`
	Batch int   `json:"batch"`
	Step  int64 `json:"step"`
	// Records is the number of records in metrics.jsonl.
	Records int `json:"records"`
	// Meters are the sums of the unfinished epoch.
	Meters []reading `json:"meters"`
	// Noted is the first of Meters as it was last recorded.
	Noted reading `json:"noted"`
	// Optimizers are the steps that each optimiser has done, by the prefix of its
	// tensors.
	Optimizers map[string]int64 `json:"optimizers"`
	// Accuracy is the last measured score in percent, absent before the first.
	Accuracy *float64 `json:"accuracy,omitempty"`
	// Best is the best score on the validation data in percent, absent before the first;
	// Accuracy is then the last.
	Best *float64 `json:"best,omitempty"`
	// Surrogates is the search of surrogates in progress, or the last one; absent
	// before the first.
	Surrogates *surrogateState `json:"surrogates,omitempty"`
}

// metadataKey is where the position stands in the safetensors metadata.
const metadataKey = "spikedhs"

// group is what a checkpoint keeps under a common prefix: variables, or the state
// of an optimiser.
type group struct {
	prefix    string
	variables *torch.Variables
	optimizer torch.Optimizer // nil for variables
}

// list is the tensors of a group in their order.
func (g group) list() []torch.Variable {
	if g.optimizer != nil {
		return g.optimizer.State()
	}
	return g.variables.All()
}

// writeCheckpoint replaces the checkpoint at path.
func writeCheckpoint(path string, at position, d torch.Device, groups []group) error {
	s := torch.NewInference()
	defer s.Close()
	at.Format = checkpointFormat
	at.Optimizers = map[string]int64{}
	for _, g := range groups {
		if g.optimizer != nil {
			at.Optimizers[g.prefix] = g.optimizer.Steps()
		}
	}
	text, err := json.Marshal(at)
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	var list []torch.Variable
	for _, g := range groups {
		for _, v := range g.list() {
			list = append(list, torch.Variable{Name: g.prefix + "." + v.Name, Value: v.Value})
		}
	}
	list = append(list, torch.Variable{Name: "generator.state", Value: s.GeneratorState(d)})
	if err := s.Err(); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	err = run.WriteFileAtomic(path, func(w io.Writer) error {
		return torch.WriteSafetensors(w, list, map[string]string{metadataKey: string(text)})
	})
	if err != nil {
		return fmt.Errorf("train: save checkpoint %s: %w", path, err)
	}
	return nil
}

// checkpoint is a checkpoint in memory.
type checkpoint struct {
	path    string
	at      position
	tensors map[string]torch.Tensor
	scope   *torch.Scope
}

func (c *checkpoint) close() error { return c.scope.Close() }

// readCheckpoint reads and checks the frame of a checkpoint.
func readCheckpoint(path string) (*checkpoint, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist: the run was stopped before its first checkpoint", ErrCheckpoint, path)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer f.Close()
	c := &checkpoint{path: path, scope: torch.NewInference()}
	var metadata map[string]string
	if c.tensors, metadata, err = torch.ReadSafetensors(c.scope, f); err != nil {
		c.close()
		return nil, fmt.Errorf("%w: %s: %w", ErrCheckpoint, path, err)
	}
	if err := json.Unmarshal([]byte(metadata[metadataKey]), &c.at); err != nil {
		c.close()
		return nil, fmt.Errorf("%w: %s was not written by spikedhs", ErrCheckpoint, path)
	}
	if c.at.Format > checkpointFormat {
		c.close()
		return nil, fmt.Errorf("%w: %s has format %d, this program knows up to %d: use a newer one", ErrCheckpoint, path, c.at.Format, checkpointFormat)
	}
	return c, nil
}

// network builds a trained network with the weights of the checkpoint.
func (c *checkpoint) network(p task.Problem, m machine, g genotype.Genotype) (task.Network, error) {
	net, err := p.Network(m.device, m.precision, g)
	if err != nil {
		return nil, err
	}
	if err = c.check(phaseTrain, net.Identity()); err == nil {
		err = c.assign(net.Variables(), "network")
	}
	if err != nil {
		return nil, errors.Join(err, net.Close())
	}
	return net, nil
}

// check compares phase and network with what is expected.
func (c *checkpoint) check(phase, architecture string) error {
	if c.at.Phase != phase {
		return fmt.Errorf("%w: %s belongs to a %s run, not to a %s run", ErrCheckpoint, c.path, c.at.Phase, phase)
	}
	if c.at.Architecture != architecture {
		return fmt.Errorf("%w: %s is of another architecture: it was made by %s, this network is %s",
			ErrCheckpoint, c.path, c.at.Architecture, architecture)
	}
	return nil
}

// restore puts the groups and the random numbers of a loop back.
func (c *checkpoint) restore(l *loop) error {
	if err := c.check(l.at.Phase, l.at.Architecture); err != nil {
		return err
	}
	for _, g := range l.groups {
		if g.optimizer == nil {
			if err := c.assign(g.variables, g.prefix); err != nil {
				return err
			}
			continue
		}
		if err := g.optimizer.SetState(c.group(g.prefix), c.at.Optimizers[g.prefix]); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCheckpoint, c.path, err)
		}
	}
	return c.restoreGenerator(l)
}

// group returns the tensors below a prefix, without it.
func (c *checkpoint) group(prefix string) map[string]torch.Tensor {
	list := map[string]torch.Tensor{}
	for name, t := range c.tensors {
		if rest, ok := strings.CutPrefix(name, prefix+"."); ok {
			list[rest] = t
		}
	}
	return list
}

// assign restores variables from a group.
func (c *checkpoint) assign(v *torch.Variables, prefix string) error {
	if err := v.Assign(c.group(prefix)); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrCheckpoint, c.path, err)
	}
	return nil
}

// restoreGenerator restores the random numbers of a device. Those of another kind of
// device mean nothing here: then the numbers go on from the run's seed, which setUp
// has set. Batches and their augmentation do not depend on them.
func (c *checkpoint) restoreGenerator(l *loop) error {
	state, ok := c.tensors["generator.state"]
	if !ok {
		return fmt.Errorf("%w: %s has no generator state", ErrCheckpoint, c.path)
	}
	was, err := torch.Shape(state)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrCheckpoint, c.path, err)
	}
	s := torch.NewInference()
	defer s.Close()
	if is := s.Shape(s.GeneratorState(l.device)); s.Err() == nil && !slices.Equal(was, is) {
		l.job.Log.Info("the checkpoint was made on another kind of device", "checkpoint", c.path, "device", torch.DeviceName(l.device))
		return nil
	}
	if err := torch.SetGeneratorState(l.device, state); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrCheckpoint, c.path, err)
	}
	return nil
}
