package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asProgram makes the test binary behave as spikedhs, for tests that need a
// process of its own.
const asProgram = "SPIKEDHS_TEST_AS_PROGRAM"

// environmentFile names a file to which every process of the program adds the library
// path that it was started with.
const environmentFile = "SPIKEDHS_TEST_ENVIRONMENT"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		noteEnvironment(os.Getenv(environmentFile))
		main()
	}
	os.Exit(m.Run())
}

func noteEnvironment(path string) {
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(file, "spikedhs", os.Getenv("LD_LIBRARY_PATH"))
	_ = file.Close()
}

// result is what a command line did.
type result struct {
	code           int
	stdout, stderr string
}

// spikedhs runs a command line in this process.
func spikedhs(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := execute(context.Background(), append([]string{"spikedhs"}, args...), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// done runs a command line that must succeed.
func done(t *testing.T, args ...string) result {
	t.Helper()
	r := spikedhs(t, args...)
	require.Equal(t, exitDone, r.code, "spikedhs %s\n%s", strings.Join(args, " "), r.stderr)
	return r
}

// refused runs a command line that must end with code 2 and one line on standard
// error that holds all of texts, and must leave the folder below here as it is.
func refused(t *testing.T, args []string, texts ...string) {
	t.Helper()
	before := snapshot(t, ".")
	r := spikedhs(t, args...)
	require.Equal(t, exitUsage, r.code, r.stderr)
	require.Empty(t, r.stdout)
	require.Regexp(t, `^spikedhs: [^\n]+\n$`, r.stderr)
	for _, text := range texts {
		require.Contains(t, r.stderr, text)
	}
	require.Equal(t, before, snapshot(t, "."), "files were changed")
}

// program prepares a command line for a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

// snapshot is the content of all files below a folder.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			files[path] = "folder"
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	}))
	return files
}

// object decodes the one JSON object of a result.
func object(t *testing.T, r result) map[string]any {
	t.Helper()
	var v map[string]any
	decoder := json.NewDecoder(strings.NewReader(r.stdout))
	require.NoError(t, decoder.Decode(&v), r.stdout)
	require.False(t, decoder.More(), "more than one object")
	return v
}

// number is a value of a JSON object that must be a number.
func number(t *testing.T, v map[string]any, key string) float64 {
	t.Helper()
	x, ok := v[key].(float64)
	require.True(t, ok, "%s is %v", key, v[key])
	return x
}

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
