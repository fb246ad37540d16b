package pth

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch/pytorch"
)

// writer saves what checkpoints hold, and tells what is in them.
const writer = `
import argparse, collections, json, os, sys, torch
x = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
weights = collections.OrderedDict(
    plain=x, turned=x.permute(2, 0, 1), part=x[1, :, 1:3], repeated=torch.tensor([1.5]).expand(2, 3),
    none=torch.zeros(0, 4), number=torch.tensor(7.25), parameter=torch.nn.Parameter(torch.ones(2)),
    f64=x.double(), f16=x.half(), bf16=x.bfloat16(), i64=x.long(), i32=x.int(), i16=x.short(), i8=x.char(), u8=x.byte(), flag=x > 3)
class Evil:
    def __reduce__(self):
        return (os.system, ("touch evil",))
net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
optimizer = torch.optim.Adam(net.parameters())
net(torch.zeros(2, 1, 5, 5)).sum().backward()
optimizer.step()
torch.save(weights, "weights.pth")
torch.save({"epoch": 3, "args": argparse.Namespace(lr=0.1, layers=[1, 2]), "best": 1e100, "evil": Evil(), "big": 1 << 40,
            "optimizer": optimizer.state_dict(), "state_dict": {"module." + k: v for k, v in net.state_dict().items()}}, "run.pth")
torch.save({"epoch": 3}, "empty.pth")
torch.save([1, 2], "list.pth")
torch.save(weights, "old.pth", _use_new_zipfile_serialization=False)
told = {}
for file, state in (("weights.pth", weights), ("run.pth", net.state_dict())):
    told[file] = [[k, list(v.shape), [float(n) for n in v.detach().double().reshape(-1)]] for k, v in state.items()]
print(json.dumps(told))
`

func TestCheckpointsOfPyTorch(t *testing.T) {
	c := exec.Command(pytorch.Interpreter(t), "-c", writer)
	c.Dir = t.TempDir()
	text, err := c.Output()
	require.NoError(t, err)
	var told map[string][][3]any
	require.NoError(t, json.Unmarshal(text, &told))
	for file, want := range told {
		have, err := Read(filepath.Join(c.Dir, file))
		require.NoError(t, err, file)
		require.Len(t, have, len(want), file)
		for i, w := range want {
			assert.Equal(t, w[0], have[i].Name)
			numbers, err := have[i].Float64s()
			require.NoError(t, err)
			shape := make([]any, len(have[i].Shape))
			for k, n := range have[i].Shape {
				shape[k] = float64(n)
			}
			assert.Equal(t, w[1], shape, have[i].Name)
			assert.Equal(t, w[2], toAny(numbers), have[i].Name)
		}
	}
	assert.NoFileExists(t, filepath.Join(c.Dir, "evil"), "nothing of a pickle is called")
	for file, says := range map[string]string{
		"empty.pth": "its entries are epoch", "list.pth": "no dictionary", "old.pth": "saved again", "missing.pth": "missing.pth",
	} {
		_, err := Read(filepath.Join(c.Dir, file))
		require.ErrorIs(t, err, ErrFile, file)
		assert.ErrorContains(t, err, says)
	}
	whole, err := os.ReadFile(filepath.Join(c.Dir, "weights.pth"))
	require.NoError(t, err)
	cut := filepath.Join(c.Dir, "cut.pth")
	require.NoError(t, os.WriteFile(cut, whole[:len(whole)/2], 0o644))
	_, err = Read(cut)
	require.ErrorIs(t, err, ErrFile)
}

func toAny(list []float64) []any {
	result := make([]any, len(list))
	for i, x := range list {
		result[i] = x
	}
	return result
}

// Pickles that lie about themselves.
func TestDamagedPickles(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no end": "\x80\x02}", "an empty stack": "\x80\x02.", "no mark": "\x80\x02}u.", "protocol 0": "\x80\x00}.",
		"unknown value": "\x80\x02h\x07.", "a text beyond the end": "\x80\x02X\xff\xff\xff\x7fab.", "a huge length": "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
		"an unknown instruction": "\x80\x02\xff.", "a key without a value": "\x80\x02}(K\x01u.", "a list as a key": "\x80\x02}]K\x01s.",
		"a long number": "\x80\x02\x8a\x09123456789.", "a mark as a value": "\x80\x02((\x86.",
	} {
		_, err := unpickle([]byte(text))
		require.ErrorIs(t, err, ErrPickle, name)
	}
	value, err := unpickle([]byte("\x80\x02}(X\x01\x00\x00\x00aK\x05X\x01\x00\x00\x00b\x8a\x01\xffu."))
	require.NoError(t, err)
	assert.Equal(t, int64(5), value.(*Dict).Get("a"))
	assert.Equal(t, int64(-1), value.(*Dict).Get("b"))
	assert.Nil(t, value.(*Dict).Get("c"))
}

func FuzzUnpickle(f *testing.F) {
	f.Add([]byte("\x80\x02}(X\x01\x00\x00\x00aK\x05u."))
	f.Add([]byte("\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00aK\x05s."))
	f.Add(bytes.Repeat([]byte("("), 100))
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := unpickle(text)
		if err != nil {
			require.ErrorIs(t, err, ErrPickle)
			return
		}
		if d, ok := value.(*Dict); ok {
			a := storages{archive: &zip.Reader{}, read: map[string][]byte{"0": make([]byte, 64), "": {}}}
			_, _ = a.tensors(d) // must not panic; other storages are not there
		}
	})
}
