package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDemoAsksOnATerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	url, asked := mirror(t, nil)
	for _, test := range []struct {
		answer, says string
		code, asked  int
	}{
		{"n\n", "get it with `spikedhs data fetch mnist --dir here`", exitUsage, 0},
		{"\x04", "get it with `spikedhs data fetch mnist --dir here`", exitUsage, 0}, // the end of the input
		{"\n", "404 Not Found", exitFailed, 1},
		{"Yes\n", "404 Not Found", exitFailed, 1},
		{"\x03", "interrupted", exitInterrupted, 0}, // Ctrl-C
	} {
		*asked = nil
		c := program(t, "demo", "--set", "data.name=mnist", "--set", "data.path=here", "--base-url", url)
		screen := onTerminal(t, c, "[Y/n]", test.answer)
		assert.Equal(t, test.code, c.ProcessState.ExitCode(), "%q", test.answer)
		assert.Contains(t, screen, "mnist is not on this machine. Fetch it (12 MB) into here? [Y/n]")
		assert.Contains(t, screen, test.says, "%q", test.answer)
		assert.Len(t, *asked, test.asked, "%q", test.answer)
	}
	c := program(t, "demo", "--set", "data.name=mnist", "--set", "data.path=here", "--json")
	assert.NotContains(t, onTerminal(t, c, "spikedhs data fetch", ""), "[Y/n]", "a script that wants JSON answers nothing")
}

// onTerminal runs a command on a terminal of its own, types an answer when the screen
// shows the text wait, and returns what the screen showed when the command has ended.
func onTerminal(t *testing.T, c *exec.Cmd, wait, answer string) string {
	t.Helper()
	keyboard, screen := pseudoTerminal(t)
	defer keyboard.Close()
	c.Env = append(c.Env, "TERM=xterm")
	c.Stdin, c.Stdout, c.Stderr = screen, screen, screen
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, c.Start())
	require.NoError(t, screen.Close())
	late := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() })
	defer late.Stop()
	var shown strings.Builder
	buffer, typed := make([]byte, 4096), false
	for {
		n, err := keyboard.Read(buffer)
		shown.Write(buffer[:n])
		if !typed && strings.Contains(shown.String(), wait) {
			_, err := keyboard.WriteString(answer)
			require.NoError(t, err)
			typed = true
		}
		if err != nil { // the last process that had the terminal has ended
			break
		}
	}
	_ = c.Wait() // its exit code is the caller's to judge
	require.True(t, typed, "%q never appeared: %s", wait, shown.String())
	// The screen turns the ends of lines into its own.
	return strings.ReplaceAll(shown.String(), "\r\n", "\n")
}

// pseudoTerminal is a terminal: what is written to keyboard is typed, and reading from
// it gives what is shown.
func pseudoTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this system gives out no terminals: ", err)
	}
	control := func(request uintptr, value *int32) {
		_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, keyboard.Fd(), request, uintptr(unsafe.Pointer(value)))
		require.Zero(t, failed)
	}
	var number, unlocked int32
	control(syscall.TIOCGPTN, &number)
	control(syscall.TIOCSPTLCK, &unlocked)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return keyboard, terminal
}
