package stereo

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var smallRig = Rig{Width: 12, Height: 9, Focal: 10, CX: 6, CY: 4, Baseline: 0.1}

// makeSet writes sequences of random events and labels and returns the folder.
func makeSet(t testing.TB, frames int, names ...string) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, WriteRig(root, smallRig))
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range names {
		dir := filepath.Join(root, name)
		for _, sub := range []string{"event0", "event1", DisparityFolder} {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, sub), 0o777))
		}
		var times []float64
		for i := range frames {
			end := 1500000000 + 0.05*float64(i+1)
			times = append(times, end)
			for _, v := range []View{Left, Right} {
				events := make([]Event, rng.IntN(200))
				for k := range events {
					events[k] = Event{
						T: end - Window + Window*(float64(k)+0.5)/float64(len(events)),
						X: uint16(rng.IntN(smallRig.Width)), Y: uint16(rng.IntN(smallRig.Height)), P: int8(2*rng.IntN(2) - 1),
					}
				}
				require.NoError(t, WriteEvents(EventFile(dir, v, i), events))
			}
			label := make([]uint8, smallRig.Width*smallRig.Height)
			for k := range label {
				label[k] = uint8(rng.IntN(256))
			}
			require.NoError(t, WriteLabel(DisparityFile(dir, i), smallRig.Width, smallRig.Height, label))
		}
		require.NoError(t, WriteTimestamps(filepath.Join(dir, TimestampsFile), times))
	}
	return root
}

func openSet(t testing.TB, root string, o Options) *Set {
	t.Helper()
	s, err := Open(root, o)
	require.NoError(t, err, root)
	return s
}

// stackOf is the stack of a view for a frame, [Channels, Height, Width].
func stackOf(s *Set, v View, f Frame) ([]int8, error) {
	packed, err := s.packed(v, f)
	if err != nil {
		return nil, err
	}
	stack := make([]int8, s.binning.Bins*s.rig.Width*s.rig.Height)
	unpack(stack, packed, s.binning.Bins, s.rig.Width, s.rig.Height, s.whole())
	return stack, nil
}

func frameNames(frames []Frame) (names []string) {
	for _, f := range frames {
		names = append(names, fmt.Sprintf("%s/%d", f.Sequence, f.Index))
	}
	return names
}
