package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A model is exported, events go in by a file, and disparities come out in all
// forms.
func TestStream(t *testing.T) {
	inWorkFolder(t)
	stereoModelAndEvents(t)
	r := done(t, "stream", "--model", "model.pt", "--events", "events.bin", "--out", "pictures")
	assert.Contains(t, r.stdout, "3 steps of 54 x 42")
	for _, name := range []string{"000000.png", "000002.png", "stream.json"} {
		assert.FileExists(t, filepath.Join("pictures", name))
	}
	raw := done(t, "stream", "--model", "model.pt", "--events", "events.bin", "--format", "raw")
	assert.Len(t, raw.stdout, 3*4*54*42, "nothing but the maps")
	assert.Contains(t, raw.stderr, "3 steps")
	told := object(t, done(t, "stream", "--model", "model.pt", "--events", "events.bin", "--every", "25", "--max-steps", "2", "--json"))
	assert.Equal(t, 2.0, number(t, told, "steps"))

	refused(t, []string{"stream", "--model", "model.pt"}, "--events is missing")
	refused(t, []string{"stream", "--events", "events.bin"}, "--model", "--run")
	refused(t, []string{"stream", "--model", "nowhere.pt", "--events", "events.bin"}, "nowhere.pt")
	refused(t, []string{"stream", "--model", "model.pt", "--events", "model.pt"}, "no stream of events")
	refused(t, []string{"stream", "--model", "model.pt", "--events", "events.bin", "--sensor", "big"}, "346x260")
}
