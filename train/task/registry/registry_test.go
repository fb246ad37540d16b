package registry

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task/classify"
	"github.com/spikedhs/spikedhs/train/task/stereo"
)

// own are the paths of files that may know a task by its name: those of its packages, of
// its data, and this list of tasks.
var own = regexp.MustCompile(`_test\.go$|stereo|mvsec|synth|task/registry`)

// Loops, verbs and benchmarks do not ask which task they work on: outside its own files
// nothing in these folders names one.
func TestNobodyAsksForATask(t *testing.T) {
	read := 0
	for _, folder := range []string{"train", "cmd", "bench"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("..", "..", "..", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || own.MatchString(filepath.ToSlash(path)) {
				return err
			}
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			read++
			for number, line := range strings.Split(string(text), "\n") {
				assert.False(t, strings.Contains(strings.ToLower(line), "stereo"), "%s:%d: %s", path, number+1, line)
			}
			return nil
		}))
	}
	assert.Greater(t, read, 100, "the folders were found")
}

func TestTasksOfConfigurations(t *testing.T) {
	c := config.Default()
	assert.Equal(t, classify.Task{}, Of(c))
	c.Data.Name = config.StereoData
	assert.Equal(t, stereo.Task{}, Of(c))
	for _, task := range all {
		presets := genotype.Presets(task.Subnets()...)
		require.NotEmpty(t, presets, task.Name())
		for _, name := range presets {
			_, err := Genotype(task, name)
			require.NoError(t, err)
			for _, other := range all {
				if other != task {
					_, err := Genotype(other, name)
					require.ErrorIs(t, err, config.ErrInvalid)
					assert.ErrorContains(t, err, "is a genotype for "+task.Name())
				}
			}
		}
	}
}
