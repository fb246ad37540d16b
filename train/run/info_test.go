package run

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRevision(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123abc"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	assert.Equal(t, "0123abc-dirty", revision([]debug.BuildSetting{commit, modified}))
	assert.Equal(t, "0123abc", revision([]debug.BuildSetting{commit, clean}))
	assert.Empty(t, revision([]debug.BuildSetting{modified}))
	assert.Empty(t, revision(nil))
}

func TestInfoIsCompleted(t *testing.T) {
	info := Info{Git: "known"}
	info.complete(7)
	assert.Equal(t, "known", info.Git)
	assert.EqualValues(t, 7, info.Seed)
	assert.NotEmpty(t, info.Go)
	assert.False(t, info.Started.IsZero())
	assert.Zero(t, info.Started.Nanosecond())
}
