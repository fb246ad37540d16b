package pytorch

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pretend makes a program that answers as a Python with that PyTorch does.
func pretend(t *testing.T, name, folder, version string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	text := fmt.Sprintf("#!/bin/sh\necho %s\necho %s\n", folder, version)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	return path
}

func TestThePythonOfTheBuildIsTaken(t *testing.T) {
	lib, link, other := t.TempDir(), t.TempDir(), t.TempDir()
	library := filepath.Join(lib, "libtorch_cpu.so.1.13")
	require.NoError(t, os.WriteFile(library, nil, 0o644))
	require.NoError(t, os.Symlink(library, filepath.Join(link, "libtorch_cpu.so")))
	require.NoError(t, os.WriteFile(filepath.Join(other, "libtorch_cpu.so"), nil, 0o644))
	newer := pretend(t, "newer", other, "2.6.0+cu124")
	twin := pretend(t, "twin", other, "1.13.1+cpu")
	own := pretend(t, "own", link, "1.13.1a0+gitunknown")
	absent := filepath.Join(other, "absent")

	name, _ := find([]string{absent, newer, twin, own}, lib, library, "1.13.1")
	assert.Equal(t, own, name)
	name, _ = find([]string{newer, twin}, lib, library, "1.13.1")
	assert.Equal(t, twin, name)
	name, others := find([]string{absent, newer}, lib, library, "1.13.1")
	assert.Empty(t, name)
	assert.Equal(t, []string{absent + " has none", newer + " has 2.6.0+cu124"}, others)
	name, _ = find([]string{newer}, lib, library, "2.6.1")
	assert.Empty(t, name)
}

func TestCandidates(t *testing.T) {
	t.Setenv("PYTHON", "/opt/python")
	assert.Equal(t, []string{"/opt/python", "python3", "/usr/bin/python3"}, candidates("LIBTORCH"))
	assert.Equal(t, []string{"/usr/bin/python3", "/opt/python", "python3"}, candidates("/usr/bin/python3"))
	t.Setenv("PYTHON", "")
	assert.Equal(t, []string{"python3", "/usr/bin/python3"}, candidates("system"))
}
