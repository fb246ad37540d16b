package stereo

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/npy"
)

func FuzzReadDAT(f *testing.F) {
	f.Add([]byte("100 3 4 1 1\n200 5 6 0 0\n"))
	f.Add([]byte("# x\n1e9 1 128 -1 0\n-5 2 1 1 1\n"))
	f.Add([]byte("nan inf 1 1 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rec, err := ReadDAT(bytes.NewReader(text), RecordingOptions{})
		if err != nil {
			require.ErrorIs(t, err, data.ErrFormat)
			return
		}
		c := rec.Counts
		require.Equal(t, c.Events-c.OutOfFrame-c.BadPolarity-c.BadTime, len(rec.Events[Left])+len(rec.Events[Right]))
		for _, events := range rec.Events {
			for i, e := range events {
				require.True(t, e.X < 128 && e.Y < 128 && (e.P == 1 || e.P == -1))
				require.True(t, i == 0 || events[i-1].T <= e.T)
			}
		}
		steps, err := rec.Steps(Binning{}, 0)
		require.NoError(t, err)
		for range 50 {
			if _, _, err := steps.Next(); err != nil {
				break
			}
		}
	})
}

func FuzzReadTimestamps(f *testing.F) {
	f.Add([]byte("# timestamp\n1.000000\n2.5\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "t.txt")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		times, err := ReadTimestamps(path)
		if err != nil {
			require.ErrorIs(t, err, data.ErrFormat)
			return
		}
		for i := 1; i < len(times); i++ {
			require.Less(t, times[i-1], times[i])
		}
	})
}

func FuzzReadEvents(f *testing.F) {
	var b bytes.Buffer
	require.NoError(f, npy.Write(&b, []int{2, 4}, []float64{1, 2, 3, 1, 1.5, 4, 5, -1}))
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "e.npy")
		require.NoError(t, os.WriteFile(path, content, 0o600))
		events, c, err := ReadEvents(path, 20, 10)
		if err != nil {
			require.ErrorIs(t, err, data.ErrFormat)
			return
		}
		require.Equal(t, c.Events-c.OutOfFrame-c.BadPolarity-c.BadTime, len(events))
		stack := make([]int8, 5*20*10)
		Binning{}.Stack(stack, events, 1.5, 20, 10)
	})
}
