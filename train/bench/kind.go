package bench

import (
	"fmt"
	"os"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// kind is what a task's cases are: how they are told, checked, built and compared.
type kind struct {
	usage  string // what is measured
	check  func(Case) error
	preset func(Case) (*config.Config, error) // the preset with the sizes of a case
	build  func(Case, torch.Device, *config.Config) (workload, error)
	has    func(c Case, impl string) bool // whether a case has an implementation beside ours
	script func(impl string) string       // that times it in Python
	shape  func(Case) string              // width and size for people

	// Cases come in named sizes, or from a [Grid] where there are none.
	sizes []string
	about string // of the sizes
	sized func(of Task, size, precision, device string, threads int) (Case, error)
}

// kinds are the registered tasks, order lists them.
var (
	kinds = map[Task]kind{}
	order []Task
)

// recipe is what tasks of one kind differ in.
type recipe struct {
	task  Task
	usage string
	build func(Case, torch.Device, *config.Config) (workload, error)
}

// register adds tasks that have the rest in common.
func register(common kind, list ...recipe) {
	for _, r := range list {
		common.usage, common.build = r.usage, r.build
		kinds[r.task] = common
		order = append(order, r.task)
	}
}

// Tasks lists the tasks: those whose cases come from a [Grid], then those of named
// sizes.
func Tasks() []Task { return append(tasks(false), tasks(true)...) }

func tasks(sized bool) (list []Task) {
	for _, t := range order {
		if (kinds[t].sizes != nil) == sized {
			list = append(list, t)
		}
	}
	return list
}

// Usage says what is measured.
func (t Task) Usage() string { return kinds[t].usage }

// Sizes are the names of the sizes that [SizedCase] knows, and what they are; nil for a
// task whose cases come from a [Grid].
func (t Task) Sizes() (names []string, about string) { return kinds[t].sizes, kinds[t].about }

// SizedCase is the case of a named size, batch 1.
func SizedCase(t Task, size, precision, device string, threads int) (Case, error) {
	k := kinds[t]
	if k.sized == nil {
		return Case{}, fmt.Errorf("%w: task %q has no named sizes", ErrCase, t)
	}
	return k.sized(t, size, precision, device, threads)
}

const withoutPrefix = "without-"

// Without is this program with one family of its CPU kernels switched off (see
// [torch.CPUFamilies]): libtorch's own operators do their work.
func Without(family string) string { return withoutPrefix + family }

// Withouts are the sides that leave out the families which this CPU has kernels of.
func Withouts(families []string) (sides []string) {
	for _, family := range families {
		if torch.CPUKernels(family) {
			sides = append(sides, Without(family))
		}
	}
	return sides
}

// switchedOff is what the environment of a side's process has besides.
func switchedOff(impl string) []string {
	family, ok := strings.CutPrefix(impl, withoutPrefix)
	if !ok {
		return nil
	}
	return []string{"SPIKEDHS_KERNELS=" + strings.Trim(os.Getenv("SPIKEDHS_KERNELS")+",-"+family, ",")}
}
