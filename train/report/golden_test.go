package report

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// foreign is what other packages decide: the configuration and the drawing of the
// genotype. The folder of a test has another name each time.
var foreign = regexp.MustCompile(`(?s)<details class="settings">.*?</details>|<div class="genotype">.*?</div>|<style>.*?</style>`)

// TestGolden compares a whole page with a stored one. Look at the page in a browser
// before committing it after -update.
func TestGolden(t *testing.T) {
	dir := folder(t, "demo")
	demoRun(t, dir)
	got := foreign.ReplaceAllString(write(t, dir), "")
	got = strings.ReplaceAll(got, dir, "runs/demo")
	path := filepath.Join("testdata", "demo.html")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update")
	assert.Equal(t, string(want), got)
}
