package genotype

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files in testdata/golden")

// TestGolden compares all outputs with stored ones. Look at the drawings before
// committing them after -update.
func TestGolden(t *testing.T) {
	for name, g := range all(t) {
		var dot, svg bytes.Buffer
		require.NoError(t, DOT(&dot, g))
		require.NoError(t, SVG(&svg, g))
		data, err := g.Encode()
		require.NoError(t, err)
		outputs := map[string][]byte{".json": data, ".txt": []byte(Text(g)), ".dot": dot.Bytes(), ".svg": svg.Bytes()}
		for extension, got := range outputs {
			path := filepath.Join("testdata", "golden", name+extension)
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "run go test -update")
			assert.Equal(t, string(want), string(got), path)
		}
	}
}
