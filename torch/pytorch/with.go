package pytorch

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// With is the name of a Python that has all the modules: that of PEERS, an environment for
// peers of this project, or one that runs by itself. Without one the test is skipped.
func With(t testing.TB, modules ...string) string {
	t.Helper()
	for _, name := range []string{os.Getenv("PEERS"), os.Getenv("PYTHON"), "python3"} {
		if name == "" {
			continue
		}
		c := exec.Command(name, "-c", "import "+strings.Join(modules, ", "))
		c.Dir = t.TempDir() // here torch would be this project's package
		if c.Run() == nil {
			return name
		}
	}
	t.Skipf("no Python with %s: name one with PEERS=/path/to/python", strings.Join(modules, " and "))
	return ""
}
