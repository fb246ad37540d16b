package examples

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/export/onnx"
	"github.com/spikedhs/spikedhs/search/export/onnxruntime"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// exported writes a small network as model.pt and model.onnx, and an image as image.bin; it
// gives the folder and the class that the network names.
func exported(t *testing.T) (dir, class string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, torch.Seed(3))
	g, err := genotype.Preset(genotype.PresetClassificationN3)
	require.NoError(t, err)
	n, err := search.NewNetwork(torch.CPU(), g, search.Options{Channels: 1, Classes: 10, Width: 4, Levels: []int{1, 2}, Steps: 3,
		Neuron: spike.LIF{Tau: 0.2, Threshold: 0.5}, Temperature: 3, Mixing: search.MixMembrane, Head: search.HeadLIF, Stem: search.StemSpike})
	require.NoError(t, err)
	defer n.Close()
	p, err := n.Program(search.Input{Height: 28, Width: 28, Mean: []float64{0.3}, Deviation: []float64{0.3}})
	require.NoError(t, err)
	defer p.Close()
	info, err := json.Marshal(classify.ModelInfo{Format: 1, Classes: strings.Fields("a b c d e f g h i j"), Steps: 3, Channels: 1, Height: 28, Width: 28, Genotype: g})
	require.NoError(t, err)
	files := map[string]string{task.InfoFile: string(info)}
	require.NoError(t, export.TorchScript(p, files).Save(filepath.Join(dir, "model.pt")))
	m, err := onnx.Network(p, files)
	require.NoError(t, err)
	require.NoError(t, m.Save(filepath.Join(dir, "model.onnx")))

	s := torch.NewInference()
	defer s.Close()
	image := s.Tensor("aten::rand", []int64{1, 1, 28, 28})
	pixels, err := torch.ToSlice[float32](image)
	require.NoError(t, err)
	raw, err := binary.Append(nil, binary.LittleEndian, pixels)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "image.bin"), raw, 0o644))
	logits, err := torch.ToSlice[float32](p.Run(s, image))
	require.NoError(t, err)
	best := 0
	for i := range logits {
		if logits[i] > logits[best] {
			best = i
		}
	}
	return dir, strconv.Itoa(best)
}

// run runs a program in a folder and gives what it prints.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	var problems bytes.Buffer
	c.Stderr = &problems
	out, err := c.Output()
	require.NoError(t, err, "%s: %s", c, problems.String())
	return strings.TrimSpace(string(out))
}

var imageShape = []string{"image.bin", "1", "28", "28"}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("deploy", name))
	require.NoError(t, err)
	return path
}

func TestDeployInPython(t *testing.T) {
	python := pytorch.With(t, "onnxruntime", "numpy")
	dir, class := exported(t)
	assert.Equal(t, class, run(t, dir, python, append([]string{program(t, "classify.py"), "model.onnx"}, imageShape...)...))
}

// NODE_MODULES is the folder node_modules that onnxruntime-node was installed into.
func TestDeployInJavaScript(t *testing.T) {
	modules := os.Getenv("NODE_MODULES")
	if _, err := exec.LookPath("node"); err != nil || modules == "" {
		t.Skip("no node, or NODE_MODULES does not name the node_modules with onnxruntime-node")
	}
	dir, class := exported(t)
	text, err := os.ReadFile(program(t, "classify.mjs"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "classify.mjs"), text, 0o644)) // modules are looked for beside it
	require.NoError(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	assert.Equal(t, class, run(t, dir, "node", append([]string{"classify.mjs", "model.onnx"}, imageShape...)...))
}

func TestDeployInC(t *testing.T) {
	library, err := onnxruntime.Find()
	if err != nil {
		t.Skip(err)
	}
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler")
	}
	dir, class := exported(t)
	header := run(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go")
	for _, name := range []string{"libonnxruntime.so", "libonnxruntime.so.1"} {
		require.NoError(t, os.Symlink(library, filepath.Join(dir, name)))
	}
	run(t, dir, "cc", "-Wall", "-Werror", "-I"+header, program(t, "classify.c"), "-L.", "-lonnxruntime", "-Wl,-rpath,"+dir, "-o", "classify")
	assert.Equal(t, class, run(t, dir, "./classify", append(append([]string{"model.onnx"}, imageShape...), "10")...))
}

func TestDeployInCPlusPlus(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles libtorch's headers")
	}
	facts := map[string]string{}
	for _, line := range strings.Split(run(t, "..", "scripts/libtorch.sh"), "\n") {
		key, value, _ := strings.Cut(line, "=")
		facts[key] = value
	}
	dir, class := exported(t)
	run(t, dir, "c++", "-w", "-std=c++"+facts["standard"], "-D_GLIBCXX_USE_CXX11_ABI="+facts["cxx11_abi"],
		"-I"+facts["include"], "-I"+facts["include"]+"/torch/csrc/api/include", program(t, "classify.cc"),
		"-L"+facts["lib"], "-ltorch", "-ltorch_cpu", "-lc10", "-Wl,-rpath,"+facts["lib"], "-o", "classify")
	assert.Equal(t, class, run(t, dir, "./classify", append([]string{"model.pt"}, imageShape...)...))
}

func TestDeployInGo(t *testing.T) {
	dir, class := exported(t)
	binary := filepath.Join(dir, "classify")
	run(t, ".", "go", "build", "-o", binary, "./deploy/classify")
	assert.Equal(t, class, run(t, dir, binary, "model.pt", "image.bin"))
	if _, err := onnxruntime.Find(); err == nil {
		assert.Equal(t, class, run(t, dir, binary, "model.onnx", "image.bin"))
	}
}

// The page shows the programs as they are.
func TestExportPage(t *testing.T) {
	page, err := os.ReadFile("../docs/export.md")
	require.NoError(t, err)
	for name, language := range map[string]string{
		"classify.py": "python", "classify.c": "c", "classify.cc": "cpp", "classify.mjs": "javascript", "classify/main.go": "go",
	} {
		text, err := os.ReadFile(filepath.Join("deploy", name))
		require.NoError(t, err)
		assert.True(t, strings.Contains(string(page), "```"+language+"\n"+string(text)+"```\n"), "docs/export.md shows another %s", name)
		if language != "go" {
			assert.LessOrEqual(t, bytes.Count(text, []byte("\n")), 20, name)
		}
	}
}
