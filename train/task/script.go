package task

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// InfoFile is the name of the description inside an exported archive.
const InfoFile = "spikedhs.json"

// SaveScript writes a TorchScript archive with a description, atomically; files are the
// others that lie in it. libtorch writes to a path of its own and names the archive's
// folder after it, so the file is made whole in a folder beside its place.
func SaveScript(path string, info any, files map[string]string, script func(files map[string]string) *torch.Script) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	all := map[string]string{InfoFile: string(text)}
	maps.Copy(all, files)
	scratch, err := os.MkdirTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, filepath.Base(path))
	if err := script(all).Save(made); err != nil {
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

// ModelKind is what the description of an exported archive says that it is, "" for a
// network of images; ok is false where a file is no such archive.
func ModelKind(path string) (kind string, ok bool) {
	text, err := torch.ScriptExtra(path, InfoFile)
	if err != nil {
		return "", false
	}
	var of struct {
		Kind string `json:"kind"`
	}
	err = json.Unmarshal([]byte(text), &of)
	return of.Kind, err == nil
}
