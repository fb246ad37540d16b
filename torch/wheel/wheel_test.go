package wheel

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// other is a process of any other program.
func other(ctx context.Context, words ...string) *exec.Cmd {
	return exec.CommandContext(ctx, words[0], words[1:]...)
}

// without takes the launcher's variables away until the test has ended.
func without(t *testing.T) {
	t.Helper()
	for _, name := range []string{pathVariable, beforeVariable, librariesVariable, pythonVariable, otherVariable} {
		t.Setenv(name, "") // so that the value is back afterwards
		require.NoError(t, os.Unsetenv(name))
	}
	t.Cleanup(func() { launched = nil })
}

// seen is what a process finds in LD_LIBRARY_PATH and the variable beside it.
func seen(t *testing.T, command func(context.Context, ...string) *exec.Cmd) string {
	t.Helper()
	c := command(context.Background(), "/bin/sh", "-c", `echo "${LD_LIBRARY_PATH-none} ${SPIKEDHS_LD_LIBRARY_PATH-none}"`)
	out, err := c.Output()
	require.NoError(t, err)
	return string(out)
}

func TestRestore(t *testing.T) {
	for _, test := range []struct{ name, before, other, self string }{
		{"not set before", "", "none none\n", "/wheel/shims:/torch/lib \n"},
		{"set before", "/opt/lib", "/opt/lib none\n", "/wheel/shims:/torch/lib /opt/lib\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			without(t)
			t.Setenv(pathVariable, "/wheel/shims:/torch/lib")
			t.Setenv(beforeVariable, test.before)
			Restore()
			assert.Equal(t, test.other, seen(t, other), "any other program")
			assert.Equal(t, test.self, seen(t, Command), "this program")
			Restore()
			assert.Equal(t, test.other, seen(t, other), "a second call changes nothing")
			assert.Equal(t, test.self, seen(t, Command))
		})
	}
}

func TestNothingToRestore(t *testing.T) {
	without(t)
	t.Setenv(pathVariable, "/opt/lib")
	Restore()
	assert.Equal(t, "/opt/lib none\n", seen(t, other))
	assert.Equal(t, "/opt/lib none\n", seen(t, Command))
}

func TestInstalled(t *testing.T) {
	without(t)
	assert.False(t, Installed())
	assert.Equal(t, "make", Either("pip", "make"))
	assert.False(t, BuiltHere())

	t.Setenv(librariesVariable, "prebuilt 2.15-cuda-abi1")
	assert.True(t, Installed())
	assert.Equal(t, "pip", Either("pip", "make"))
	assert.False(t, BuiltHere())

	t.Setenv(librariesVariable, "built here in /home/one/shims, since there are no others")
	assert.True(t, Installed())
	assert.True(t, BuiltHere())
}
