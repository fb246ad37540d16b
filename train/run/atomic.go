package run

import (
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
)

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
