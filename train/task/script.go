package task

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
)

// SaveScript writes a TorchScript archive, atomically. libtorch writes to a path of its
// own and names the archive's folder after it, so the file is made whole in a folder
// beside its place.
func SaveScript(path string, script *torch.Script) error {
	scratch, err := os.MkdirTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return fmt.Errorf("train: export: %w", err)
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, filepath.Base(path))
	if err := script.Save(made); err != nil {
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
