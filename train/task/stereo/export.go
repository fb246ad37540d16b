package stereo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/train/stereo/stream"
	"github.com/spikedhs/spikedhs/train/task"
)

// Model folds the network, with the cameras of its data where these are at hand.
func (n *Network) Model(version string, score *float64) (*stream.Model, error) {
	path := n.problem.c.Data.Path
	about := stream.About{Version: version, Dataset: filepath.Base(path), Validation: score}
	if set, err := data.Open(path, data.Options{Cache: "none", Memory: -1}); err == nil {
		about.Rig = set.Rig()
	}
	return stream.New(n.Network, about)
}

// Export writes an archive that can be stepped; see [task.Network].
func (n *Network) Export(path, version string, score *float64) error {
	m, err := n.Model(version, score)
	if err != nil {
		return err
	}
	return errors.Join(m.Export(path), m.Close())
}

// Takes says what the archive takes and gives.
func (n *Network) Takes() string {
	return fmt.Sprintf("step(left, right, state) takes float32 [N, %d, H, W] twice, gives disparity and state", n.Options.Channels)
}

// Check compares on a window of made-up events; see [task.Network].
func (n *Network) Check(_ context.Context, path string, _ int) (task.Agreement, error) {
	m, err := n.Model("", nil)
	if err != nil {
		return nil, err
	}
	a, err := m.Check(path)
	return a, errors.Join(err, m.Close())
}
