package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// asWorker makes the test binary behave as our side of a case.
const asWorker = "SPIKEDHS_TEST_AS_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(asWorker) == "" {
		os.Exit(m.Run())
	}
	var c Case
	err := json.Unmarshal([]byte(os.Args[len(os.Args)-1]), &c)
	if err == nil {
		err = Work(context.Background(), c, os.Stdin, os.Stdout)
	}
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
}

// tiny is a case that takes milliseconds.
func tiny(task Task) Case {
	c := Case{Task: task, Setting: Setting{
		Impl: Ours, Precision: "float32", Batch: 2, Width: 4, Steps: 2, Nodes: publishedNodes,
		Size: 8, Threads: 1, Device: "cpu",
	}}
	if task == Search {
		c.Nodes, c.Width = 2, 2
	}
	return c
}

// plan runs our side in processes of this test binary.
func plan(t *testing.T, p *Python) Plan {
	t.Helper()
	t.Setenv(asWorker, "1")
	self, err := os.Executable()
	require.NoError(t, err)
	return Plan{Worker: []string{self}, Python: p, Others: PythonSides(), Repeats: 3, Seconds: 0.05}
}

func TestRunMeasuresOurSide(t *testing.T) {
	for _, task := range tasks(false) {
		for _, apart := range []bool{false, true} {
			p := plan(t, nil)
			p.Apart = apart
			rows, pairs, err := p.Run(context.Background(), tiny(task))
			require.NoError(t, err)
			require.Len(t, rows, 1)
			assert.Empty(t, pairs)
			row := rows[0]
			assert.Equal(t, string(task), row.Bench)
			assert.Len(t, row.Samples, 3)
			assert.Equal(t, median(row.Samples), row.Rate)
			assert.Positive(t, row.Rate)
			assert.NotEmpty(t, row.Torch)
			assert.Equal(t, task == Infer, row.FiringRate > 0, "firing rate %v", row.FiringRate)
			assert.Less(t, row.FiringRate, 1.0)
		}
	}
}

func TestRunComparesWithPython(t *testing.T) {
	python := python(t)
	for _, task := range tasks(false) {
		p := plan(t, python)
		c := tiny(task)
		rows, pairs, err := p.Run(context.Background(), c)
		require.NoError(t, err)
		require.Len(t, rows, 3)
		require.Len(t, pairs, 2)
		for i, impl := range []string{Ours, PythonFolded, PythonPerStep} {
			require.Empty(t, rows[i].Error)
			assert.Equal(t, impl, rows[i].Impl)
			assert.Len(t, rows[i].Samples, 3)
			assert.Equal(t, task == Infer, rows[i].FiringRate > 0)
		}
		if task == Infer { // of fresh random weights, so the same only about
			assert.InDelta(t, rows[0].FiringRate, rows[1].FiringRate, 0.1)
			assert.InDelta(t, rows[0].FiringRate, rows[2].FiringRate, 0.1)
		}
		for i, pair := range pairs {
			assert.Equal(t, rows[i+1].Impl, pair.Over)
			assert.InEpsilon(t, rows[0].Rate/rows[i+1].Rate, pair.Ratio, 1e-9)
			assert.InEpsilon(t, rows[0].PeakRSSMB/rows[i+1].PeakRSSMB, pair.MemoryRatio, 1e-9)
		}
	}
}

// A side in Python that fails is a row that says so; ours must not fail.
func TestRunReportsWhatFails(t *testing.T) {
	p := plan(t, &Python{Program: "/bin/false", Dir: t.TempDir()})
	rows, pairs, err := p.Run(context.Background(), tiny(Train))
	require.NoError(t, err)
	assert.Empty(t, pairs)
	require.Len(t, rows, 3)
	assert.Positive(t, rows[0].Rate)
	for _, row := range rows[1:] {
		assert.Contains(t, row.Error, row.Impl+" ended early: exit status 1")
		assert.Zero(t, row.Rate)
	}
	p = plan(t, nil)
	p.Worker = []string{"/bin/false"}
	_, _, err = p.Run(context.Background(), tiny(Train))
	require.ErrorContains(t, err, "spikedhs ended early")
}

func TestRunStopsWithItsContext(t *testing.T) {
	p := plan(t, nil)
	p.Repeats, p.Seconds = 1000, 1
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err := p.Run(ctx, tiny(Train))
	require.ErrorIs(t, err, context.Canceled)
}

func TestWorkRefusesNonsense(t *testing.T) {
	c := tiny(Train)
	require.ErrorContains(t, Work(context.Background(), c, strings.NewReader("soon\n"), &bytes.Buffer{}), `"soon" is no number of steps`)
	c.Batch = 0
	require.ErrorIs(t, Work(context.Background(), c, strings.NewReader(""), &bytes.Buffer{}), ErrCase)
}

func TestFindPythonSaysWhatIsWrong(t *testing.T) {
	_, err := FindPython(context.Background(), "/bin/false")
	require.ErrorIs(t, err, ErrPython)
	assert.ErrorContains(t, err, "/bin/false")
	assert.ErrorContains(t, err, "--python")
}

// After its time a case gets no more samples, and a side that is not warm none.
func TestRunWithALimit(t *testing.T) {
	p := plan(t, &Python{Program: "/bin/cat", Dir: t.TempDir()}) // never ready
	p.Repeats, p.Most = 3, time.Nanosecond
	rows, pairs, err := p.Run(context.Background(), tiny(Train))
	require.NoError(t, err)
	require.Len(t, rows, 3)
	assert.Len(t, rows[0].Samples, 1)
	for _, row := range rows[1:] {
		assert.Contains(t, row.Error, "the 1ns of the case were over")
	}
	assert.Empty(t, pairs)
}

// A side that hangs is ended, and ours has its figures.
func TestRunEndsWhatHangs(t *testing.T) {
	hangs := filepath.Join(t.TempDir(), "python")
	require.NoError(t, os.WriteFile(hangs, []byte("#!/bin/sh\nexec sleep 1000\n"), 0o755))
	p := plan(t, &Python{Program: hangs, Dir: t.TempDir()})
	p.Repeats, p.Most = 1, 2*time.Second
	rows, _, err := p.Run(context.Background(), tiny(Train))
	require.NoError(t, err)
	require.Len(t, rows, 3)
	assert.Len(t, rows[0].Samples, 1)
	for _, row := range rows[1:] {
		assert.Regexp(t, "ended early: signal: killed|of the case were over", row.Error)
	}
}

func TestLIF(t *testing.T) {
	before := torch.LiveTensors()
	for precision, bytes := range map[string]float64{"float32": 4, "bfloat16": 2} {
		rows, err := LIF(context.Background(), LIFCase{Setting: Setting{Precision: precision, Batch: 2, Width: 8, Steps: 3, Size: 8, Threads: 1, Device: "cpu"}, Repeats: 1, Seconds: 0.01})
		require.NoError(t, err)
		require.Len(t, rows, 2)
		for i, tensors := range []float64{2, 5} {
			row := rows[i]
			assert.Positive(t, row.GBPerS)
			assert.InEpsilon(t, row.GBPerS/row.CopyGBPerS, row.Share, 1e-9)
			assert.InEpsilon(t, row.GBPerS*1e9/bytes/tensors, row.Rate, 1e-9, "neurons a second")
		}
	}
	assert.Equal(t, before, torch.LiveTensors())
}

func TestLoader(t *testing.T) {
	row, err := Loader(context.Background(), 32, 8, 2)
	require.NoError(t, err)
	assert.Len(t, row.Samples, 2)
	assert.Greater(t, row.Rate, 1000.0)
	row.Against(Row{Rate: row.Rate / 4})
	assert.InEpsilon(t, 4.0, row.TimesTraining, 1e-9)
}

// checkProfile looks at the order and the shares of the operators.
func checkProfile(t *testing.T, p StepProfile, by func(OperatorRow) float64) {
	t.Helper()
	require.NotEmpty(t, p.Operators)
	assert.Positive(t, p.StepMS)
	sum := 0.0
	for i, o := range p.Operators {
		sum += o.Share
		if i > 0 {
			assert.LessOrEqual(t, by(o), by(p.Operators[i-1]), o.Name)
		}
	}
	assert.InDelta(t, 1, sum, 1e-9)
	calls := map[string]float64{}
	for _, o := range p.Operators {
		calls[o.Name] = o.Calls
	}
	assert.Positive(t, calls["aten::convolution"], "%v", calls)
	assert.Equal(t, calls["aten::_log_softmax"], calls["aten::_log_softmax_backward_data"], "forward and backward")
}

func TestProfile(t *testing.T) {
	before := torch.LiveTensors()
	p, err := Profile(context.Background(), tiny(Train), 2)
	require.NoError(t, err)
	assert.Zero(t, p.DeviceMS)
	assert.Positive(t, p.HostMS)
	checkProfile(t, p, func(r OperatorRow) float64 { return r.HostMS })
	assert.Equal(t, before, torch.LiveTensors())
	_, err = Profile(context.Background(), tiny(Train), 0)
	require.ErrorIs(t, err, ErrCase)
}
