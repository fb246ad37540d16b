package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The launcher of a wheel lets the program find its libraries by LD_LIBRARY_PATH. A
// worker is the program once more and finds them, too; Python gets the path that there
// was before, and none where there was none.
func TestPathsOfChildren(t *testing.T) {
	inWorkFolder(t)
	log, err := filepath.Abs("environment")
	require.NoError(t, err)
	python, err := filepath.Abs("python")
	require.NoError(t, err)
	// It has a PyTorch, but no worker runs in it.
	script := "#!/bin/sh\necho \"python ${LD_LIBRARY_PATH-none}\" >>" + log + "\n[ $1 = -c ] && echo 9.9.9\n"
	require.NoError(t, os.WriteFile(python, []byte(script), 0o755))
	small := []string{"--threads", "1", "--repeats", "1", "--seconds", "0.01",
		"--batch", "1", "--width", "2", "--steps", "1", "--size", "8"}
	launched := []string{"spikedhs /launched", "spikedhs /launched"}
	experiment := []string{"reproduce", "table1", "--only", "n3", "--scale", "smoke", "--out", "out", "--device", "cpu",
		"--set", "data.path=images", "--set", "data.train_images=100", "--set", "data.test_images=50",
		"--set", "network.levels=[1, 2]", "--set", "train.batch=20", "--set", "search.images=80", "--set", "search.batch=20"}
	for _, test := range []struct {
		name, before string
		args         []string
		want         []string
	}{
		{"bench", "/opt/lib", append([]string{"bench", "train"}, small...), launched},
		{"bench against Python", "/opt/lib", append([]string{"bench", "train", "--vs", "python"}, small...),
			append([]string{"python /opt/lib", "python /opt/lib", "python /opt/lib"}, launched...)},
		{"no path before", "", append([]string{"bench", "train", "--vs", "python"}, small...),
			append([]string{"python none", "python none", "python none"}, launched...)},
		{"reproduce", "", experiment, launched},
	} {
		t.Run(test.name, func(t *testing.T) {
			_ = os.Remove(log)
			c := program(t, test.args...)
			c.Env = append(c.Env, environmentFile+"="+log, "LD_LIBRARY_PATH=/launched", "SPIKEDHS_LD_LIBRARY_PATH="+test.before,
				"SPIKEDHS_LIBRARIES=prebuilt", "SPIKEDHS_PYTHON="+python)
			out, _ := c.CombinedOutput() // with that Python it fails
			noted, err := os.ReadFile(log)
			require.NoError(t, err, string(out))
			lines := strings.Split(strings.TrimSpace(string(noted)), "\n")
			slices.Sort(lines)
			assert.Equal(t, test.want, lines, string(out))
		})
	}
}
