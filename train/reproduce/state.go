package reproduce

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// state is how far a run folder is.
type state int

const (
	fresh    state = iota // nothing is there
	begun                 // it has a checkpoint to go on from
	finished              // it has come to its end
)

// stateOf looks at the folder of a task. What an end before the first checkpoint left
// is cleared away.
func (t *task) state() (state, error) {
	if _, err := os.Stat(t.Dir); errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	folder, err := run.Open(t.Dir)
	if errors.Is(err, run.ErrNotRun) {
		return fresh, t.clear()
	}
	if err != nil {
		return fresh, err
	}
	if keys := t.differs(folder); len(keys) > 0 {
		return fresh, fmt.Errorf("%w: the run in %s has other values of %s; give another --out, or remove that folder to repeat the run",
			config.ErrInvalid, t.Dir, strings.Join(keys, ", "))
	}
	switch {
	case complete(folder):
		return finished, nil
	case exists(folder.Path(run.CheckpointDir, train.CheckpointFile)):
		return begun, nil
	}
	return fresh, t.clear()
}

// clear removes a folder that this package made and a run never got far in. Anything
// else at its place is left alone: [run.Create] then refuses it.
func (t *task) clear() error {
	entries, err := os.ReadDir(t.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		known := e.Name() == run.ConfigFile || e.Name() == run.InfoFile || e.Name() == run.CheckpointDir || e.Name() == run.MetricsFile ||
			strings.HasPrefix(e.Name(), "genotype.") || strings.HasPrefix(e.Name(), "events.") || strings.HasSuffix(e.Name(), ".tmp")
		if !known {
			return nil
		}
	}
	return os.RemoveAll(t.Dir)
}

// ownKeys are keys that may differ between runs that compute the same.
var ownKeys = []string{"run.name", "train.genotype", "data.path", "data.workers", "data.prefetch"}

// differs are the keys in which a run differs from the task; "genotype" stands among
// them for another architecture.
func (t *task) differs(folder *run.Folder) []string {
	keys := slices.DeleteFunc(config.Diff(t.Config, folder.Config()), func(key string) bool { return slices.Contains(ownKeys, key) })
	if t.Kind == training && t.hash != "" {
		if g, err := genotype.Load(folder.Path(run.GenotypeFile)); err == nil && g.Hash() != t.hash {
			keys = append(keys, "the genotype")
		}
	}
	return keys
}

// complete reports whether a run has come to its end.
func complete(folder *run.Folder) bool { return !folder.Info().Ended.IsZero() }

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// elsewhere finds a finished run of an equal configuration and architecture in the
// folders of other experiments; nil if there is none.
func (t *task) elsewhere(out string) *run.Folder {
	if t.Kind != training || t.hash == "" {
		return nil
	}
	// Glob fails on malformed patterns alone; its order is fixed.
	dirs, _ := filepath.Glob(filepath.Join(escapeGlob(out), "*", "*", fmt.Sprintf("seed-%d", t.seed)))
	for _, dir := range dirs {
		if dir == t.Dir {
			continue
		}
		folder, err := run.Open(dir)
		if err != nil || !complete(folder) || !exists(folder.Path(run.GenotypeFile)) || len(t.differs(folder)) > 0 {
			continue
		}
		return folder
	}
	return nil
}

// escapeGlob makes a path a pattern that matches it alone.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
