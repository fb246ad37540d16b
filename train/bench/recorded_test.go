//go:build fakedevice

package bench

import (
	"context"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// tinyOnDevice is a case of any task that takes milliseconds, on the fake device.
func tinyOnDevice(t *testing.T, of Task) Case {
	t.Helper()
	c := tiny(of)
	if kinds[of].sizes != nil {
		c = tinyStereo(t, of)
	}
	c.Device, c.Precision = "cuda", "bfloat16"
	return c
}

// state are the numbers that the steps of a workload change. Those of a stereo search
// differ in their last bits from one run to the next, recorded or not, so it has none.
func state(t *testing.T, w workload) map[string][]float32 {
	t.Helper()
	switch w := w.(type) {
	case *recorded:
		return state(t, w.workload)
	case *learning:
		switch n := w.model.(type) {
		case task.Network:
			return values(t, both(n.Variables()))
		case *classify.Supernet:
			return values(t, both(n.Weights(), n.Architecture()))
		}
	case *stereoStreaming:
		s := torch.NewInference()
		defer s.Close()
		var list []torch.Variable
		for i, v := range w.state.Membranes() {
			list = append(list, torch.Variable{Name: string(rune('a' + i)), Value: s.Cast(v, torch.Float32)})
		}
		return values(t, list)
	}
	return nil
}

// alone runs a test in a process of its own, with one thread: autograd's thread keeps the
// number of threads of the first test that needs it, and sums of several threads round
// differently. It reports whether this is that process.
func alone(t *testing.T) bool {
	t.Helper()
	const name = "SPIKEDHS_TEST_ALONE"
	if os.Getenv(name) != "" {
		return true
	}
	run := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	run.Env = append(os.Environ(), name+"=1", "OMP_NUM_THREADS=1")
	text, err := run.CombinedOutput()
	require.NoError(t, err, string(text))
	return false
}

// Recorded steps do what steps one by one do, to the bit, and launch nothing by
// themselves. On two threads, as on a device, autograd adds gradients in the order in
// which they come: one run in a hundred rounds in another way, so there are three tries.
func TestRecordedStepsOfEveryTask(t *testing.T) {
	if !alone(t) {
		return
	}
	for _, of := range Tasks() {
		t.Run(string(of), func(t *testing.T) {
			before := torch.LiveTensors()
			var one, recorded map[string][]float32
			for range 3 {
				if one, recorded = stepByStep(t, of), asGraphs(t, of); reflect.DeepEqual(one, recorded) {
					break
				}
			}
			assert.Equal(t, one, recorded)
			assert.Equal(t, before, torch.LiveTensors())
		})
	}
}

// replays are the recorded steps that are compared.
const replays = 2

// stepByStep is the state of a task after as many steps as asGraphs takes.
func stepByStep(t *testing.T, of Task) map[string][]float32 {
	t.Helper()
	w, err := newWorkload(tinyOnDevice(t, of))
	require.NoError(t, err)
	defer func() { require.NoError(t, w.close()) }()
	steps := recordAfter + replays
	if of == StereoStream {
		steps++ // its parts take a step of the stream
	}
	for range steps {
		require.NoError(t, w.step())
	}
	return state(t, w)
}

func asGraphs(t *testing.T, of Task) map[string][]float32 {
	t.Helper()
	c := tinyOnDevice(t, of)
	c.Impl = OursGraphs
	w, err := newWorkload(c)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.close()) }()
	torch.ResetFake()
	for range replays {
		require.NoError(t, w.step())
	}
	counts, err := torch.ReadFake()
	require.NoError(t, err)
	parts := 1
	if of == Search || of == StereoSearch {
		parts = 2
	}
	require.EqualValues(t, replays*parts, counts.Replays)
	return state(t, w)
}

// Recorded or not, an inference gives the same sum.
func TestRecordedInferenceReadsItsResult(t *testing.T) {
	c := tinyOnDevice(t, Infer)
	w, err := newWorkload(c)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.close()) }()
	list, err := w.(recordable).parts()
	require.NoError(t, err)
	require.Len(t, list, 1)
	defer list[0].afterwards()
	require.NoError(t, inScope(torch.NewInference(), list[0].work))
	require.NoError(t, inScope(torch.NewInference(), func(s *torch.Scope) {
		list[0].end(s)
		inference := w.(*inference)
		assert.NotZero(t, s.Item(s.Sum(inference.run(s, inference.images))))
	}))
}

// Where nothing can be recorded that side has a row that says so, and the others go on.
func TestRecordedSideThatFails(t *testing.T) {
	t.Setenv("SPIKEDHS_FAKE_NO_CAPTURE", "1")
	p := plan(t, nil)
	p.Graphs, p.Repeats = true, 1
	rows, pairs, err := p.Run(context.Background(), tinyOnDevice(t, Train))
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Positive(t, rows[0].Rate)
	assert.Equal(t, OursGraphs, rows[1].Impl)
	assert.Contains(t, rows[1].Error, "spikedhs-graphs ended early")
	assert.Contains(t, rows[1].Error, torch.ErrNoGraph.Error())
	assert.Empty(t, pairs)
}

func TestRecordedSideOnTheDevice(t *testing.T) {
	p := plan(t, nil)
	p.Graphs, p.Repeats = true, 1
	rows, pairs, err := p.Run(context.Background(), tinyOnDevice(t, Train))
	require.NoError(t, err)
	require.Len(t, rows, 2)
	for _, row := range rows {
		assert.Empty(t, row.Error)
		assert.Positive(t, row.Rate)
		assert.Positive(t, row.PeakDeviceMB)
	}
	require.Len(t, pairs, 1)
	assert.Equal(t, OursGraphs, pairs[0].Over)
	assert.Positive(t, pairs[0].DeviceMemoryRatio)
}

// The time on the device is found, and the host's beside it.
func TestDeviceProfile(t *testing.T) {
	p, err := Profile(context.Background(), tinyOnDevice(t, Train), 2)
	require.NoError(t, err)
	assert.Positive(t, p.DeviceMS)
	assert.Less(t, p.DeviceMS, 2*p.ProfiledMS, "operators are not counted twice")
	checkProfile(t, p, func(r OperatorRow) float64 { return r.DeviceMS })
}
