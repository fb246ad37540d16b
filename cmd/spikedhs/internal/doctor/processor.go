package doctor

import (
	"cmp"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
)

// processor checks what the CPU can do and whether libtorch uses it.
func processor() []Check {
	cores, _ := os.ReadFile("/proc/cpuinfo") // empty where there is none
	model, flags := cpuOf(string(cores))
	capability := "unknown"
	if match := capabilityLine.FindStringSubmatch(torch.Describe()); match != nil {
		capability = match[1]
	}
	vector := ok("vector units", "libtorch uses %s", capability)
	if (capability == "DEFAULT" || capability == "NO AVX") && slices.Contains(flags, "avx2") {
		vector = vector.but(Warn, "The CPU has AVX2 but libtorch does not use it: unset ATEN_CPU_CAPABILITY.")
	}
	var reduced []string
	for _, name := range []string{"amx_bf16", "avx512_bf16", "bf16"} {
		if slices.Contains(flags, name) {
			reduced = append(reduced, name)
		}
	}
	bfloat16 := ok("bfloat16", "%s", strings.Join(reduced, ", "))
	if len(reduced) == 0 {
		bfloat16.Value = "no instructions for it on this CPU"
	} else if torch.MatrixTiles() {
		bfloat16.Value += ": training and evaluation take it, on matrix tiles"
	}
	return []Check{ok("CPU", "%s, %d cores", cmp.Or(model, runtime.GOARCH), runtime.NumCPU()), vector, bfloat16}
}

var capabilityLine = regexp.MustCompile(`CPU capability usage: (.+)`)

// cpuOf reads the model and the flags of the first core in /proc/cpuinfo.
func cpuOf(text string) (model string, flags []string) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		switch key = strings.TrimSpace(key); {
		case key == "model name" && model == "":
			model = strings.TrimSpace(value)
		case (key == "flags" || key == "Features") && flags == nil:
			flags = strings.Fields(value)
		}
	}
	return model, flags
}

// threads checks that libtorch computes on all cores.
func threads() Check {
	set := os.Getenv("OMP_NUM_THREADS")
	c := ok("threads", "%d of %d cores, OMP_NUM_THREADS not set", torch.Threads(), runtime.NumCPU())
	if set != "" {
		c.Value = strings.Replace(c.Value, "not set", "= "+set, 1)
	}
	switch {
	case torch.Threads() < runtime.NumCPU() && set != "":
		return c.but(Warn, "Unset OMP_NUM_THREADS to compute on all cores.")
	case torch.Threads() < runtime.NumCPU():
		return c.but(Warn, "Set run.threads = 0 to compute on all cores.")
	case runtime.GOMAXPROCS(0) < runtime.NumCPU() && os.Getenv("GOMAXPROCS") == "":
		return c.but(Warn, "This container may use %d cores only: set run.threads = %[1]d, or waiting threads slow each other.", runtime.GOMAXPROCS(0))
	}
	return c
}

// load checks that nothing else computes: libtorch's threads wait actively for
// each other, so a busy neighbour slows small operators many times over.
func load() Check {
	average, known := bench.LoadAverage()
	if !known {
		return ok("load", "this system does not tell")
	}
	c := ok("load", "%.1f processes running on %d cores in the last minute", average, runtime.NumCPU())
	if average > 0.7*float64(runtime.NumCPU()) {
		return c.but(Warn, "Other programs are busy and make training several times slower: stop them, or set run.threads lower.")
	}
	return c
}
