package synth

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/npy"
	"github.com/spikedhs/spikedhs/data/stereo"
)

func testOptions(t testing.TB) Options {
	o, err := Preset("small")
	require.NoError(t, err)
	o.Rig, o.Scenes, o.Frames, o.Seed = testRig, 3, 4, 11
	return o
}

// digest hashes all files of a folder.
func digest(t *testing.T, dir string) map[string][sha256.Size]byte {
	sums := map[string][sha256.Size]byte{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		sums[name] = sha256.Sum256(b)
		return err
	}))
	return sums
}

func TestGenerate(t *testing.T) {
	dir, o := t.TempDir(), testOptions(t)
	calls, last := 0, 0
	o.Progress = func(done, total int) { calls++; last = done; require.Equal(t, 12, total) }
	require.NoError(t, Generate(context.Background(), dir, o))
	require.Equal(t, 12, calls)
	require.Equal(t, 12, last)
	set, err := stereo.Open(dir, stereo.Options{Cache: "none"})
	require.NoError(t, err)
	require.Equal(t, testRig, set.Rig())
	parts, err := set.Split()
	require.NoError(t, err)
	require.Equal(t, []stereo.Frame{{Sequence: "scene_0002", Index: 0}, {Sequence: "scene_0002", Index: 1}, {Sequence: "scene_0002", Index: 2}, {Sequence: "scene_0002", Index: 3}}, parts.Test)
	frames, err := set.Frames()
	require.NoError(t, err)
	steps, err := set.Stream(context.Background(), frames, 0)
	require.NoError(t, err)
	defer steps.Close()
	for _, f := range frames {
		step, err := steps.Next()
		require.NoError(t, err)
		array, err := npy.ReadFile(stereo.FloatFile(set.Dir(f.Sequence), f.Index))
		require.NoError(t, err)
		exact := npy.Values[float32](array)
		for i, d := range step.Label {
			require.InDelta(t, exact[i], d, 0.5/7+1e-5)
		}
	}
	total := 0
	for name, c := range set.Counts() {
		require.True(t, c.Clean(), "%s %+v", name, c)
		total += c.Events
	}
	require.Greater(t, total, 5000)
	for _, f := range frames {
		require.InDelta(t, 0.05*float64(f.Index+1), set.Times(f.Sequence)[f.Index], 1e-9)
		events, _, err := set.Events(stereo.Right, f)
		require.NoError(t, err)
		for _, e := range events {
			require.Greater(t, e.T, set.Times(f.Sequence)[f.Index]-0.05)
			require.Less(t, e.T, set.Times(f.Sequence)[f.Index])
		}
	}

	// The same bits from one worker; a part is kept, a spoiled one made again.
	want := digest(t, dir)
	other := t.TempDir()
	o.Workers, o.Progress = 1, nil
	require.NoError(t, Generate(context.Background(), other, o))
	require.Equal(t, want, digest(t, other))
	require.NoError(t, os.Remove(filepath.Join(dir, "scene_0001", stereo.TimestampsFile)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "scene_0000", "note"), nil, 0o600)) // tells whether it was made again
	require.NoError(t, Generate(context.Background(), dir, o))
	require.NoError(t, os.Remove(filepath.Join(dir, "scene_0000", "note")))
	require.Equal(t, want, digest(t, dir))
	o.Seed++
	require.NoError(t, Generate(context.Background(), other, o))
	require.NotEqual(t, want["scene_0000/event0/000001.npy"], digest(t, other)["scene_0000/event0/000001.npy"])

	require.NoError(t, os.Remove(filepath.Join(other, "scene_0000", SceneFile)))
	require.ErrorContains(t, Generate(context.Background(), other, o), "not made here")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, Generate(ctx, t.TempDir(), o), context.Canceled)
}

func TestSparsity(t *testing.T) {
	s := Random(testRig, testLayout(), 0.1, 2)
	truth := s.Truth(0)
	full := Sparsity{}.label(truth, testRig.Width, 1, 0)
	for i, v := range full {
		require.Equal(t, stereo.QuantizeDisparity(float64(truth.Disparity[i])), v)
		require.NotEqual(t, uint8(stereo.Invalid), v)
	}
	sparse := Sparsity{Rows: 0.5, Pixels: 0.6}.label(truth, testRig.Width, 1, 0)
	rows, kept := map[int]int{}, 0
	for i, v := range sparse {
		if v != stereo.Invalid {
			require.Equal(t, full[i], v)
			rows[i/testRig.Width]++
			kept++
		}
	}
	require.InDelta(t, 18, len(rows), 9)
	require.InDelta(t, 0.6, float64(kept)/float64(len(rows)*testRig.Width), 0.08)
	seen := Sparsity{NoOcclusion: true}.label(truth, testRig.Width, 1, 0)
	for i, v := range seen {
		require.Equal(t, truth.Occlusion[i] != Visible, v == stereo.Invalid)
	}
}

func TestSplitByScene(t *testing.T) {
	for scenes, want := range map[int][3]int{1: {1, 0, 0}, 2: {1, 0, 1}, 3: {1, 1, 1}, 10: {7, 1, 2}, 100: {70, 10, 20}} {
		s := split(scenes)
		require.Equal(t, want, [3]int{len(s.Train), len(s.Validation), len(s.Test)})
	}
}

func BenchmarkSmallFrame(b *testing.B) { benchmarkFrame(b, "small") }
func BenchmarkFullFrame(b *testing.B)  { benchmarkFrame(b, "full") }

func benchmarkFrame(b *testing.B, preset string) {
	o, err := Preset(preset)
	require.NoError(b, err)
	s := Random(o.Rig, o.Layout, 100, 1)
	r, err := NewRecorder(s, o.Camera, 1)
	require.NoError(b, err)
	events := 0
	for b.Loop() {
		f, err := r.Next(context.Background())
		require.NoError(b, err)
		events += len(f.Events[0])
	}
	b.ReportMetric(float64(events)/float64(b.N), "events/frame")
}
