package torch

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const scriptSource = `
def block(self, x: Tensor) -> Tensor:
    return torch.relu(torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1]))

def forward(self, x: Tensor) -> Tensor:
    return self.block(x).mean([2, 3])
`

// saveScript writes a small convolution and returns its path, an input and the
// output that ATen gives for it.
func saveScript(t *testing.T, s *Scope) (path string, input, output Tensor) {
	t.Helper()
	v := NewVariables(CPU())
	t.Cleanup(func() { v.Close() })
	conv := NewConv2d(v.Root(), 2, 4, ConvOptions{Kernel: 3, Padding: 1})
	require.NoError(t, v.Err())
	path = filepath.Join(t.TempDir(), "model.pt")
	script := Script{
		Class:   "Model",
		Source:  scriptSource,
		Tensors: v.All(),
		Extra:   map[string]string{"spikedhs.json": `{"version":1}`, "note.txt": "two\nlines"},
	}
	require.NoError(t, script.Save(path))
	input = s.Scale(s.Reshape(s.Tensor("aten::arange", 2*2*5*5, Named{"dtype", Float32}), 2, 2, 5, 5), 1.0/64)
	output = s.Tensor("aten::mean.dim", s.ReLU(conv.Forward(s, input)), []int64{2, 3})
	require.NoError(t, s.Err())
	return path, input, output
}

func TestScriptRoundTrip(t *testing.T) {
	assertLive(t)
	s := NewInference()
	defer s.Close()
	path, input, output := saveScript(t, s)
	module, err := LoadScript(path, CPU())
	require.NoError(t, err)
	for range 3 { // libtorch optimises in the first calls
		assertClose(t, read(t, output), module.Forward(s, input), 1e-6)
		require.NoError(t, s.Err())
	}
	for name, want := range map[string]string{
		"spikedhs.json": `{"version":1}`, "note.txt": "two\nlines", "absent": "",
	} {
		text, err := ScriptExtra(path, name)
		require.NoError(t, err)
		assert.Equal(t, want, text)
	}
	require.NoError(t, module.Close())
	require.NoError(t, module.Close())
	module.Forward(s, input)
	assert.ErrorContains(t, s.Err(), "torch: script forward: module was closed")
}

func TestScriptErrorsAreOneLine(t *testing.T) {
	s := NewInference()
	defer s.Close()
	path, input, _ := saveScript(t, s)
	module, err := LoadScript(path, CPU())
	require.NoError(t, err)
	defer module.Close()
	save := func(b Script) error { return b.Save(filepath.Join(t.TempDir(), "m.pt")) }
	forward := func(inputs ...Tensor) error {
		s := NewInference()
		defer s.Close()
		module.Forward(s, inputs...)
		return s.Err()
	}
	_, missing := LoadScript(filepath.Join(t.TempDir(), "none.pt"), CPU())
	_, noExtra := ScriptExtra(filepath.Join(t.TempDir(), "none.pt"), "note.txt")
	for name, c := range map[string]struct {
		err  error
		text string
	}{
		"unknown function": {save(Script{Class: "M", Source: "def forward(self, x: Tensor) -> Tensor:\n    return torch.fly(x)\n"}), "fly"},
		"unknown buffer":   {save(Script{Class: "M", Source: "def forward(self, x: Tensor) -> Tensor:\n    return x + self.w\n"}), "torch: save script"},
		"no syntax":        {save(Script{Class: "M", Source: "def forward(self"}), "torch: save script"},
		"freed tensor":     {save(Script{Class: "M", Source: scriptSource, Tensors: []Variable{{Name: "w"}}}), ErrClosed.Error()},
		"no folder":        {(&Script{Class: "M", Source: scriptSource[:0]}).Save("/no/such/folder/m.pt"), "torch: save script /no/such/folder/m.pt"},
		"no file":          {missing, "none.pt"},
		"no file, extra":   {noExtra, "torch: read note.txt of script"},
		"no input":         {forward(), "torch: script forward:"},
		"two inputs":       {forward(input, input), "torch: script forward:"},
		"wrong channels":   {forward(FromSlice(s, make([]float32, 75), 1, 3, 5, 5)), "torch: script forward:"},
		"no tensor":        {forward(Tensor{}), ErrClosed.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, c.err, c.text)
			assert.NotContains(t, c.err.Error(), "\n")
		})
	}
}

func TestScriptThatReturnsNoTensor(t *testing.T) {
	s := NewInference()
	defer s.Close()
	path := filepath.Join(t.TempDir(), "m.pt")
	require.NoError(t, (&Script{Class: "M", Source: "def forward(self, x: Tensor) -> int:\n    return x.dim()\n"}).Save(path))
	module, err := LoadScript(path, CPU())
	require.NoError(t, err)
	defer module.Close()
	module.Forward(s, s.Zeros(CPU(), 1))
	assert.ErrorContains(t, s.Err(), "torch: script forward:")
}

// Weights that lie in another order, as on a GPU, are written in C order, and stay
// where they are.
func TestScriptStoresPlainTensors(t *testing.T) {
	s := NewInference()
	defer s.Close()
	want := s.Reshape(s.Tensor("aten::arange", 2*3*4*5, Named{"dtype", Float32}), 2, 3, 4, 5)
	weight := s.ChannelsLast(want)
	path := filepath.Join(t.TempDir(), "m.pt")
	script := Script{
		Class: "M", Source: "def forward(self, x: Tensor) -> Tensor:\n    return x + self.w\n",
		Tensors: []Variable{{Name: "w", Value: weight}},
	}
	require.NoError(t, script.Save(path))
	module, err := OpenScript(path, CPU())
	require.NoError(t, err)
	defer module.Close()
	stored := module.Tensor(s, "w")
	require.NoError(t, s.Err())
	assert.Equal(t, bits(t, want), bits(t, stored))
	// as_strided reads the memory from its start, whatever the sizes say.
	inMemory := func(x Tensor) []float32 { return bits(t, s.Tensor("aten::as_strided", x, []int64{120}, []int64{1})) }
	require.NotEqual(t, inMemory(want), inMemory(weight))
	assert.Equal(t, inMemory(want), inMemory(stored))
	require.NoError(t, s.Err())
}
