package doctor

import (
	"path/filepath"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/wheel"
)

// libtorch says which libtorch is loaded, and of a program that pip installed how its
// libraries were chosen for it.
func libtorch() []Check {
	foundBy, library := torch.Location()
	return libtorchChecks(torch.Version(), torch.BuildVersion(), foundBy, library)
}

func libtorchChecks(version, built, foundBy, library string) []Check {
	how := "found by"
	if foundBy == wheel.Python() {
		how = "the PyTorch of"
	}
	c := ok("libtorch", "%s in %s (%s %s)", version, filepath.Dir(library), how, foundBy)
	if built != version {
		c.Value += ", built against " + built
	}
	now, known := majorMinor(version)
	then, alsoKnown := majorMinor(built)
	switch {
	case known && slices.Compare(now[:], oldest[:]) < 0:
		c = c.but(Fail, "Use libtorch %d.%d or newer: %s.", oldest[0], oldest[1], wheel.Either(
			"run pip install --upgrade torch", "set LIBTORCH to its folder and run make build"))
	case known && alsoKnown && now != then:
		c = c.but(Fail, "%s", misfit())
	}
	list := []Check{c}
	if wheel.Installed() {
		list = append(list, ok("wheel", "libraries %s", wheel.Libraries()))
	}
	if other := wheel.OtherTorch(); other != "" {
		list = append(list, ok("other PyTorch", "%s, which is not used", other))
	}
	return list
}

// misfit says what to do where the shims and libtorch do not fit each other.
func misfit() string {
	if wheel.Installed() {
		return "The libraries do not fit this PyTorch: " + rebuild() + "."
	}
	return "Run make build: the shims do not fit this libtorch."
}

// rebuild is how the shims are built anew.
func rebuild() string {
	if wheel.BuiltHere() {
		folder := filepath.Dir(Shim())
		return "remove " + folder + ", and the next start builds them again"
	}
	return wheel.Either("install the wheel of spikedhs again", "run make build")
}
