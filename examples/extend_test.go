// Package examples tests the programs beside it.
package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The program of docs/extending.md builds and runs as a module of its own, outside of this
// one, as the page tells, and finds, trains and exports what it has registered.
func TestExtend(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and trains")
	}
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("extend")))
	// What `go mod tidy` would write; without a network all of it is in the module cache.
	sums, err := os.ReadFile("../go.sum")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644))
	goCommand := func(args ...string) string {
		t.Helper()
		c := exec.Command("go", args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "OMP_NUM_THREADS=1")
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	goCommand("mod", "edit", "-replace", "github.com/spikedhs/spikedhs="+root)
	out := goCommand("run", ".", "runs")
	require.Contains(t, out, "on the test pictures")
	require.Contains(t, out, "searched on shapes")

	genotype, err := os.ReadFile(filepath.Join(dir, "runs/search/genotype.json"))
	require.NoError(t, err)
	require.Contains(t, string(genotype), `"dw_5x5"`)
	drawing, err := os.ReadFile(filepath.Join(dir, "runs/search/genotype.svg"))
	require.NoError(t, err)
	require.Contains(t, string(drawing), "depthwise 5×5")
	require.FileExists(t, filepath.Join(dir, "runs/train/model.pt"))
}

// The page shows the files as they are.
func TestExtendingPage(t *testing.T) {
	page, err := os.ReadFile("../docs/extending.md")
	require.NoError(t, err)
	for _, name := range []string{"depthwise.go", "surrogate.go", "shapes.go", "reader.go"} {
		text, err := os.ReadFile(filepath.Join("extend", name))
		require.NoError(t, err)
		require.True(t, bytes.Contains(page, []byte("```go\n"+string(text)+"```\n")), "docs/extending.md shows another %s", name)
	}
}
