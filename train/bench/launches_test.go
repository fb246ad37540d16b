//go:build fakedevice

package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// warm is how many steps come before the one that is counted: constants are made
// in the first.
const warm = 2

// countedStep is the last of a few steps of a case, as the fake device counts it.
func countedStep(t *testing.T, c Case) torch.FakeCounts {
	t.Helper()
	w, err := newWorkload(c)
	require.NoError(t, err)
	for i := range warm + 1 {
		if i == warm {
			torch.ResetFake()
		}
		end := torch.Annotate("counted")
		err := w.step()
		end()
		require.NoError(t, err)
	}
	require.NoError(t, w.close())
	r, err := torch.ReadFake()
	require.NoError(t, err)
	return r.Ranges["counted"].Last
}

// budget is a step and what it may launch.
type budget struct {
	name   string
	make   func(t *testing.T) Case
	before int64
	fewer  float64
	reads  int64 // of its result
}

func images(task Task, nodes, width int, precision string) func(*testing.T) Case {
	return func(t *testing.T) Case {
		t.Helper()
		// The number of launches does not depend on the number of images.
		return Case{Task: task, Setting: Setting{Impl: Ours, Precision: precision, Batch: 2, Size: 32, Width: width, Steps: 6, Nodes: nodes, Threads: 2, Device: "cuda"}}
	}
}

func stereoFull(task Task, precision string) func(*testing.T) Case {
	return func(t *testing.T) Case {
		t.Helper()
		c, err := SizedCase(task, "full", precision, "cuda", 2)
		require.NoError(t, err)
		if os.Getenv("SPIKEDHS_SLOW") == "" { // nor on that of pixels
			c.Stereo.Rows, c.Stereo.Columns = 72, 72
		}
		return c
	}
}

// Launches of a step, by kind of network. docs/cuda.md has the table that
// SPIKEDHS_LAUNCHES=FILE writes.
func TestLaunches(t *testing.T) {
	var rows []string
	for _, b := range budgets {
		t.Run(b.name, func(t *testing.T) {
			c := countedStep(t, b.make(t))
			fewer := 1 - float64(c.Launches)/float64(b.before)
			assert.GreaterOrEqual(t, fewer, b.fewer, "%d launches", c.Launches)
			assert.Zero(t, c.BlockingUploads, "copies from the host that are waited for")
			assert.Equal(t, b.reads, c.BlockingReads, "reads from the device")
			assert.Empty(t, c.SlowForeach, "operators over many tensors that go one by one")
			rows = append(rows, fmt.Sprintf("| %s | %d | %d | %.0f %% | %d | %d |",
				b.name, b.before, c.Launches, 100*fewer, c.BlockingUploads, c.BlockingReads))
			if os.Getenv("SPIKEDHS_LAUNCHES_BY_OPERATOR") != "" {
				t.Log(byOperator(t, c))
			}
		})
	}
	if file := os.Getenv("SPIKEDHS_LAUNCHES"); file != "" {
		head := "| step | before | launches | fewer | blocking copies | reads back |\n|---|---|---|---|---|---|\n"
		require.NoError(t, os.WriteFile(file, []byte(head+strings.Join(rows, "\n")+"\n"), 0o644))
	}
}

// byOperator lists the operators of a step, those with most launches first.
func byOperator(t *testing.T, c torch.FakeCounts) string {
	t.Helper()
	type entry struct {
		Name string
		torch.FakeOperator
	}
	var list []entry
	for name, o := range c.Operators {
		list = append(list, entry{name, o})
	}
	slices.SortFunc(list, func(a, b entry) int { return int(b.Launches - a.Launches) })
	text, err := json.Marshal(list)
	require.NoError(t, err)
	return string(text)
}
