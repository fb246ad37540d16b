// Package bench holds the networks that spikedhs is measured against, written in
// plain PyTorch, so that an installed program brings them along. Package
// train/bench runs them.
package bench

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed python/*.py
var scripts embed.FS

// Worker is the script that times one case of images, SpikingJellyWorker that for
// SpikingJelly; Check computes what a network gives for given weights, SpikingJellyCheck compares SpikingJelly's with ours, and
// SpikingJellyLIF measures its neuron beside ours. All lie in the folder that [Unpack]
// fills.
const (
	Worker             = "worker.py"
	SpikingJellyWorker = "spikingjelly_worker.py"
	Check              = "check.py"
	SpikingJellyCheck  = "spikingjelly_check.py"
	SpikingJellyLIF    = "lif_spikingjelly.py"
)

// Unpack writes the scripts into a folder that exists.
func Unpack(dir string) error {
	files, err := fs.Glob(scripts, "python/*.py")
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := scripts.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), text, 0o644); err != nil {
			return fmt.Errorf("bench: unpack scripts: %w", err)
		}
	}
	return nil
}
