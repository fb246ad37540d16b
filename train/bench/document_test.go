package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const complete = `{"kind": "Training", "unit": "images/s", "what": "F = 48", "machine": "EPYC", "libtorch": "2.4.1", "date": "2026-11-24"`

// docs/benchmarks.md is what the command writes from docs/results/benchmarks.jsonl.
func TestBenchmarksDocument(t *testing.T) {
	file, err := os.Open("../../docs/results/benchmarks.jsonl")
	require.NoError(t, err)
	defer file.Close()
	records, err := ReadRecords(file)
	require.NoError(t, err)
	want, err := os.ReadFile("../../docs/benchmarks.md")
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "benchmarks.md")
	require.NoError(t, os.WriteFile(copied, want, 0o600))
	require.NoError(t, UpdateDocument(copied, records))
	have, err := os.ReadFile(copied)
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "spikedhs bench table --update docs/benchmarks.md docs/results/benchmarks.jsonl")
}

func TestTables(t *testing.T) {
	records, err := ReadRecords(strings.NewReader(complete + `, "batch": 8, "ours": 10.5, "others": [{"impl": "python", "rate": 5, "ratio": 2.1}]}
		{"kind": "Loader", "unit": "images/s", "what": "a|b", "machine": "EPYC", "libtorch": "2.4.1", "date": "2026-11-24", "memory_mb": 7}
		` + complete + `, "others": [{"impl": "other", "memory_ratio": 0.5}], "note": "late"}`))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, WriteTables(&b, records))
	require.Equal(t, `**Training (images/s)**

| what | machine | libtorch | date | batch | ours | python | ours over it | memory over it | note |
|---|---|---|---|---:|---:|---:|---:|---:|---|
| F = 48 | EPYC | 2.4.1 | 2026-11-24 | 8 | 10.5 | 5 | 2.1x |  |  |
| F = 48 | EPYC | 2.4.1 | 2026-11-24 |  |  |  |  | 0.5x | late |

**Loader (images/s)**

| what | machine | libtorch | date | peak MB |
|---|---|---|---|---:|
| a\|b | EPYC | 2.4.1 | 2026-11-24 | 7 |
`, b.String())
	document := filepath.Join(t.TempDir(), "a.md")
	require.NoError(t, os.WriteFile(document, []byte("head\n"+tablesBegin+"\n"), 0o600))
	require.ErrorContains(t, UpdateDocument(document, records), tablesEnd)
	require.ErrorIs(t, UpdateDocument(document+"x", records), os.ErrNotExist)
}

func TestReadRecordsRefuses(t *testing.T) {
	for _, text := range []string{`{`, `{"kind": "a"}`, complete + `, "speed": 1}`, complete + `} 7`} {
		_, err := ReadRecords(strings.NewReader(text))
		require.ErrorIs(t, err, ErrRecord, text)
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add(complete + "}")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := ReadRecords(strings.NewReader(text))
		if err == nil {
			require.NoError(t, WriteTables(&strings.Builder{}, records))
		}
	})
}
