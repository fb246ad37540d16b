package stereo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

// forms are options that change the list of instructions.
func forms() map[string]Options {
	forms := map[string]Options{}
	for name, change := range map[string]func(*Options){
		"default":        func(*Options) {},
		"mixed at spike": func(o *Options) { o.Mixing = search.MixSpike },
		"stems L":        func(o *Options) { o.Stems, o.Head = StemsL, HeadTrilinear },
		"stems A ReLU":   func(o *Options) { o.Stems, o.Stem = StemsA, search.StemReLU },
		"binary":         func(o *Options) { o.Neuron = spike.LIF{Threshold: 0.5} },
	} {
		o := tiny()
		change(&o)
		forms[name] = o
	}
	return forms
}

// eachForm runs a test on a network of every form, with three steps, and its program.
func eachForm(t *testing.T, seed uint64, run func(t *testing.T, s *torch.Scope, n *Network, p *Program)) {
	for name, o := range forms() {
		t.Run(name, func(t *testing.T) {
			s := begin(t, seed)
			o.Steps = 3
			n := newNetwork(t, o)
			unsettle(t, s, n.Variables())
			run(t, s, n, newProgramOf(t, n))
		})
	}
}

func newProgramOf(t testing.TB, n *Network) *Program {
	t.Helper()
	p, err := n.Program()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// The program computes what the network does, in windows and in steps, and so
// does one made from its own constants.
func TestProgramAgreesWithNetwork(t *testing.T) {
	eachForm(t, 40, func(t *testing.T, s *torch.Scope, n *Network, p *Program) {
		left, right := stacks(t, s, 3*2, 40, 53) // N = 2
		c := s.WithoutGradient()
		want := read(t, n.Forward(search.Pass{Scope: c}, left, right))
		assert.InDeltaSlice(t, want, read(t, p.Run(c, left, right, 3, nil, search.Float32)), 2e-5)

		named := map[string]torch.Tensor{}
		for _, x := range p.Constants() {
			named[x.Name] = x.Value
		}
		again, err := LoadProgram(n.Options, n.Genotype, func(s *torch.Scope, name string) torch.Tensor { return s.Detach(named[name]) })
		require.NoError(t, err)
		defer again.Close()
		var state State
		defer state.Reset()
		size := len(want) / 3
		for _, pieces := range [][]int{{1, 1, 1}, {2, 1}} {
			at := 0
			for _, steps := range pieces {
				cost := again.Run(c, c.Narrow(left, 0, 2*at, 2*steps), c.Narrow(right, 0, 2*at, 2*steps), steps, &state, search.Float32)
				assert.InDeltaSlice(t, want[at*size:(at+steps)*size], read(t, cost), 2e-5)
				at += steps
			}
			assert.Len(t, state.Membranes(), len(p.Layers()))
			state.Reset()
			assert.Empty(t, state.Membranes())
		}
		require.NoError(t, c.Close())
	})
}

// Convolutions of 16 bits give nearly the spikes of those of 32: fewer than one in
// twenty differs, and not none.
func TestProgramInHalf(t *testing.T) {
	s := begin(t, 41)
	n := newNetwork(t, tiny())
	unsettle(t, s, n.Variables())
	p := newProgramOf(t, n)
	left, right := stacks(t, s, 1, 42, 54)
	var whole, half State
	defer whole.Reset()
	defer half.Reset()
	p.Run(s, left, right, 1, &whole, search.Float32)
	p.Run(s, left, right, 1, &half, search.BFloat16)
	require.NoError(t, s.Err())
	// A neuron that fired has a membrane of exactly 0. The layers behind the second
	// stem get other spikes already.
	differ, count := 0, 0
	a, b := read(t, whole.Membranes()[1]), read(t, half.Membranes()[1])
	for i := range a {
		count++
		if (a[i] == 0) != (b[i] == 0) {
			differ++
		}
	}
	assert.Less(t, 20*differ, count)
	assert.NotEqual(t, a, b, "the weights were not rounded")
	first := read(t, whole.Membranes()[0])
	for i, v := range read(t, half.Membranes()[0]) { // the sums of the first are float32, and rounded then
		if first[i] != 0 && v != 0 {
			assert.InEpsilon(t, first[i], v, 1.0/256)
		}
	}
}

func TestProgramRefuses(t *testing.T) {
	s := begin(t, 42)
	p := newProgramOf(t, newNetwork(t, tiny()))
	for _, c := range []struct{ batch, height, width int64 }{{3, 42, 54}, {2, 42, 18}} {
		inner := torch.NewInference()
		left, right := stacks(t, s, c.batch, c.height, c.width)
		p.Run(inner, left, right, 2, nil, search.Float32)
		assert.ErrorIs(t, inner.Close(), ErrOptions)
	}
	_, err := LoadProgram(tiny(), p.Genotype, func(s *torch.Scope, name string) torch.Tensor {
		s.Fail(os.ErrNotExist)
		return torch.Tensor{}
	})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// A program that runs for long holds one membrane a layer and nothing else.
func TestProgramMemoryIsFlat(t *testing.T) {
	s := begin(t, 43)
	p := newProgramOf(t, newNetwork(t, tiny()))
	left, right := stacks(t, s, 1, 42, 54)
	var state State
	defer state.Reset()
	torchtest.Flat(t, 20, func() {
		c := torch.NewInference()
		p.Disparity(c, left, right, 1, &state, search.Float32)
		require.NoError(t, c.Close())
	})
}

// The script computes the same window, bit for bit.
func TestScriptAgreesWithProgram(t *testing.T) {
	eachForm(t, 44, func(t *testing.T, s *torch.Scope, _ *Network, p *Program) {
		path := filepath.Join(t.TempDir(), "model.pt")
		require.NoError(t, p.Script(40, 53, map[string]string{"note.txt": "a note"}).Save(path), p.Script(40, 53, nil).Source)
		m, err := torch.LoadScript(path, torch.CPU())
		require.NoError(t, err)
		defer m.Close()
		left, right := stacks(t, s, 3*2, 40, 53)
		have := m.Forward(s, s.Reshape(left, 3, 2, 5, 40, 53), s.Reshape(right, 3, 2, 5, 40, 53))
		want := p.Disparity(s, left, right, 3, nil, search.Float32)
		require.NoError(t, s.Err())
		assert.Equal(t, []int64{3, 2, 40, 53}, s.Shape(have))
		assert.Equal(t, read(t, want), read(t, s.Reshape(have, 6, 40, 53)))
		note, err := torch.ScriptExtra(path, "note.txt")
		require.NoError(t, err)
		assert.Equal(t, "a note", note)
	})
}

const stepping = `
import json, sys, torch
torch.set_num_threads(1)
results = {}
for name in sys.argv[1:]:
    model = torch.jit.load(name + ".pt")
    both = torch.frombuffer(bytearray(open(name + ".bin", "rb").read()), dtype=torch.float32).reshape(2, 4, 2, 5, 40, 53)
    state = model.initial_state(2)
    first = [v.clone() for v in state]
    steps = []
    with torch.no_grad():
        for t in range(4):
            disparity, after = model.step(both[0, t], both[1, t], state)
            if t == 0:
                assert all(torch.equal(a, b) for a, b in zip(first, state)), "step changed its state"
            state = after
            steps.append(disparity)
        window = model(both[0], both[1])
    results[name] = [torch.stack(steps).reshape(-1).tolist(), window.reshape(-1).tolist(), [list(v.shape) for v in state]]
print(json.dumps(results))
`

// PyTorch loads the archive, steps it, and gets the disparities of a window.
func TestPyTorchSteps(t *testing.T) {
	dir := t.TempDir()
	s := begin(t, 45)
	var names []string
	want := map[string][]float64{}
	number := 0
	for _, o := range forms() {
		name := fmt.Sprint("model", number)
		number++
		n := newNetwork(t, o)
		unsettle(t, s, n.Variables())
		p := newProgramOf(t, n)
		require.NoError(t, p.Script(40, 53, nil).Save(filepath.Join(dir, name+".pt")))
		left, right := stacks(t, s, 4*2, 40, 53)
		want[name] = read(t, p.Disparity(s, left, right, 4, nil, search.Float32))
		pytorch.Save(t, filepath.Join(dir, name+".bin"), torchtest.Read[float32](t, s.Cat([]torch.Tensor{left, right}, 0))...)
		names = append(names, name)
	}
	var have map[string][3]json.RawMessage
	pytorch.Run(t, dir, stepping, &have, names...)
	require.Len(t, have, len(want))
	for name := range want {
		for i, what := range []string{"steps", "window"} {
			var values []float64
			require.NoError(t, json.Unmarshal(have[name][i], &values))
			assert.InDeltaSlice(t, want[name], values, 1e-4, name+" "+what)
		}
	}
}
