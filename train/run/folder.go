package run

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spikedhs/spikedhs/train/config"
)

// The names in a run folder.
const (
	ConfigFile    = "config.toml"
	InfoFile      = "run.json"
	MetricsFile   = "metrics.jsonl"
	GenotypeFile  = "genotype.json"
	ModelFile     = "model.pt"
	ONNXFile      = "model.onnx"
	ReportFile    = "report.html"
	CheckpointDir = "checkpoints"
)

// ErrExists is wrapped by the error of [Create] for a place that is taken. Its text
// is the advice.
var ErrExists = errors.New("give another --out or continue it with --resume")

// ErrNotRun is wrapped by the error of [Open] for a place that holds no run.
var ErrNotRun = errors.New("not a run folder")

// Folder is a run folder.
type Folder struct {
	dir  string
	cfg  *config.Config
	info Info
}

// Create makes the run folder dir and writes config.toml and run.json into it. The
// folder may be there already if it is empty; otherwise the error wraps
// [ErrExists] and nothing is changed.
func Create(dir string, cfg *config.Config, info Info) (*Folder, error) {
	if err := requireFree(dir); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	info.complete(cfg.Run.Seed)
	f := &Folder{dir: dir, cfg: cfg, info: info}
	if err := os.MkdirAll(f.Path(CheckpointDir), 0o777); err != nil {
		return nil, err
	}
	if err := WriteFileAtomic(f.Path(ConfigFile), cfg.Encode); err != nil {
		return nil, err
	}
	if err := f.writeInfo(); err != nil { // last: with run.json the folder is a run
		return nil, err
	}
	return f, nil
}

// requireFree checks that there is nothing, or an empty folder, at dir.
func requireFree(dir string) error {
	if dir == "" {
		return errors.New("the run folder has no name: give one with --out")
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err == nil && len(entries) == 0:
		return nil
	case err == nil:
		return fmt.Errorf("run folder %s exists: %w", dir, ErrExists)
	}
	if found, failed := os.Stat(dir); failed == nil && !found.IsDir() {
		return fmt.Errorf("run folder %s exists and is a file: %w", dir, ErrExists)
	}
	return err
}

// Open opens an existing run folder. The error of a place that holds no run wraps
// [ErrNotRun].
func Open(dir string) (*Folder, error) {
	f := &Folder{dir: dir}
	text, err := f.read(InfoFile)
	if err != nil {
		return nil, err
	}
	if f.info, err = parseInfo(text); err != nil || f.info.Format < 1 {
		return nil, fmt.Errorf("%w: %s does not describe a run of spikedhs", ErrNotRun, f.Path(InfoFile))
	}
	if f.info.Format > FormatVersion {
		return nil, fmt.Errorf("%s has format %d, this program knows formats up to %d: use the program that wrote it, version %s",
			f.Path(InfoFile), f.info.Format, FormatVersion, f.info.Version)
	}
	if text, err = f.read(ConfigFile); err != nil {
		return nil, err
	}
	if f.cfg, err = config.Parse(f.Path(ConfigFile), text); err != nil {
		return nil, err
	}
	return f, nil
}

// read reads a file that every run folder has.
func (f *Folder) read(name string) ([]byte, error) {
	found, err := os.Stat(f.dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w: %s does not exist", ErrNotRun, f.dir)
	case err != nil:
		return nil, err
	case !found.IsDir():
		return nil, fmt.Errorf("%w: %s is a file", ErrNotRun, f.dir)
	}
	text, err := os.ReadFile(f.Path(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no %s", ErrNotRun, f.dir, name)
	}
	return text, err
}

// Dir returns the folder as it was given.
func (f *Folder) Dir() string { return f.dir }

// Path returns the path of something in the folder, as in Path(CheckpointDir, "last.safetensors").
func (f *Folder) Path(elements ...string) string {
	return filepath.Join(append([]string{f.dir}, elements...)...)
}

// Config returns the effective configuration of the run. It must not be changed.
func (f *Folder) Config() *config.Config { return f.cfg }

// Info returns what run.json says.
func (f *Folder) Info() Info { return f.info }

// MarkResumed notes in run.json that the run is continued.
func (f *Folder) MarkResumed(at time.Time) error {
	f.info.Resumed = append(f.info.Resumed, stamp(at))
	f.info.Ended = time.Time{}
	return f.writeInfo()
}

// MarkEnded notes in run.json that the run came to its end.
func (f *Folder) MarkEnded(at time.Time) error {
	f.info.Ended = stamp(at)
	return f.writeInfo()
}

func (f *Folder) writeInfo() error {
	return f.Write(InfoFile, f.info.write)
}

// Write replaces a file of the folder as [WriteFileAtomic] does.
func (f *Folder) Write(name string, write func(io.Writer) error) error {
	return WriteFileAtomic(f.Path(name), write)
}

// WriteFileAtomic replaces the file at path by what write writes. Whatever happens,
// path is afterwards the whole old or the whole new file: the new one is written
// beside it, synced to the disk and renamed over it.
func WriteFileAtomic(path string, write func(io.Writer) error) error {
	folder, base := filepath.Split(path)
	temporary := filepath.Join(folder, "."+base+"."+rand.Text()[:8]+".tmp")
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed { // also when write panics
			_ = f.Close()
			_ = os.Remove(temporary)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	renamed = true
	syncFolder(filepath.Dir(path))
	return nil
}

// syncFolder makes a rename in the folder last through a power failure, where the
// file system can sync folders: not all can, and then there is nothing to be done.
func syncFolder(folder string) {
	if f, err := os.Open(folder); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}
