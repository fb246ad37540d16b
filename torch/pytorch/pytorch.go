// Package pytorch finds, for tests, the Python whose PyTorch is the libtorch that is
// loaded. Another version may read archives or round numbers in another way, and its
// results would prove nothing.
package pytorch

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
)

// Interpreter is the name of a Python that can import the PyTorch of the libtorch in
// use: the same file or, where libtorch came without a Python, of the same
// version. Without one the test is skipped, with what each Python has instead.
//
// Scripts must run in a folder of their own: in this project's the package torch
// would be taken for PyTorch.
func Interpreter(t testing.TB) string {
	t.Helper()
	foundBy, library := torch.Location()
	name, others := find(candidates(foundBy), t.TempDir(), library, torch.Version())
	if name == "" {
		t.Skipf("no Python with the PyTorch %s in use: %s; name one with PYTHON",
			torch.Version(), strings.Join(others, ", "))
	}
	return name
}

// Run runs a script by [Interpreter] in a folder, with one thread, and decodes the JSON that
// it prints into result.
func Run(t testing.TB, dir, script string, result any, arguments ...string) {
	t.Helper()
	var errors strings.Builder
	c := exec.Command(Interpreter(t), append([]string{"-c", script}, arguments...)...)
	c.Dir, c.Env, c.Stderr = dir, append(os.Environ(), "OMP_NUM_THREADS=1"), &errors
	text, err := c.Output()
	if err == nil {
		err = json.Unmarshal(text, result)
	}
	if err != nil {
		t.Fatalf("%v\n%s%s", err, text, errors.String())
	}
}

// Save writes numbers to a file, for torch.frombuffer.
func Save(t testing.TB, path string, numbers ...float32) {
	t.Helper()
	content, err := binary.Append(nil, binary.LittleEndian, numbers)
	if err == nil {
		err = os.WriteFile(path, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// candidates are the interpreters to ask, in order. Libtorch was found by "LIBTORCH" or
// "system" where none was asked.
func candidates(foundBy string) []string {
	var names []string
	for _, name := range []string{foundBy, os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		if name != "" && name != "LIBTORCH" && name != "system" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// find returns the first interpreter whose PyTorch has that library, else one of that
// version, else what the interpreters have. They run in the folder dir.
func find(names []string, dir, library, version string) (found string, others []string) {
	for _, name := range names {
		there, itsVersion, err := ask(name, dir)
		switch {
		case err != nil:
			others = append(others, name+" has none")
		case holds(there, library):
			return name, nil
		case release(itsVersion) == release(version):
			if found == "" {
				found = name
			}
		default:
			others = append(others, fmt.Sprintf("%s has %s", name, itsVersion))
		}
	}
	return found, others
}

// ask returns the folder of the libraries of an interpreter's PyTorch, and its version.
func ask(name, dir string) (folder, version string, err error) {
	c := exec.Command(name, "-c", `import os, torch; torch.jit.load
print(os.path.join(os.path.dirname(torch.__file__), "lib"), torch.__version__, sep="\n")`)
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		return "", "", err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 2 {
		return "", "", fmt.Errorf("%s answered %q", name, out)
	}
	return lines[0], lines[1], nil
}

// holds reports whether libtorch's library in a folder is the one of that path, by
// whatever name: Debian's package has links to the files of libtorch's own.
func holds(folder, library string) bool {
	there, errThere := filepath.EvalSymlinks(filepath.Join(folder, "libtorch_cpu.so"))
	library, err := filepath.EvalSymlinks(library)
	return errThere == nil && err == nil && there == library
}

var releaseForm = regexp.MustCompile(`^\d+\.\d+\.\d+`)

// release is a version without what a build adds: 2.6.0 of 2.6.0+cu124.
func release(version string) string { return releaseForm.FindString(version) }
