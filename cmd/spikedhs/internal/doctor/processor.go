package doctor

import (
	"cmp"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/wheel"
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

// slowMatmul is the GFLOP/s below which a matrix product has no good BLAS.
const slowMatmul = 20

// speed checks that libtorch and the shim compute right, and how fast.
func speed(loaded []string) []Check {
	s := torch.NewInference()
	defer s.Close()
	const side = 512
	a := s.Full(torch.CPU(), 1, side, side)
	product := s.Item(s.Mean(s.Matmul(a, a)))
	neurons := s.Item(s.Mean(spike.Default().Fire(s, s.Full(torch.CPU(), 1, 2, 4), s.Full(torch.CPU(), spike.DefaultTemperature, 1), 2)))
	if err := s.Err(); err != nil {
		return []Check{ok("operators", "%v", err).but(Fail, "%s", misfit())}
	}
	if math.Abs(product-side) > 1e-3 || neurons != 1 {
		return []Check{ok("operators", "a product of ones gives %g instead of %d, neurons fire %g instead of 1", product, side, neurons).
			but(Fail, "%s", wheel.Either("This PyTorch computes wrongly: install another.",
				"This libtorch computes wrongly: install another and run make build."))}
	}
	matmul := gigaflops(2*side*side*side, func(c *torch.Scope) { c.Matmul(a, a) })
	const images, channels, size, kernel = 16, 64, 32, 3
	x := s.Full(torch.CPU(), 1, images, channels, size, size)
	w := s.Full(torch.CPU(), 1, channels, channels, kernel, kernel)
	conv := gigaflops(2*images*channels*channels*size*size*kernel*kernel, func(c *torch.Scope) {
		c.Tensor("aten::conv2d", x, w, nil, []int64{1, 1}, []int64{1, 1})
	})
	if err := s.Err(); err != nil {
		return []Check{ok("operators", "%v", err).but(Fail, "%s", misfit())}
	}
	product32 := ok("matrix products", "%.0f GFLOP/s in float32", matmul)
	if matmul < slowMatmul {
		product32 = product32.but(Warn, "%s", slowAdvice(blas(loaded)))
	}
	return []Check{
		ok("operators", "libtorch and the shim compute as they should"), product32,
		ok("convolutions", "%.0f GFLOP/s in float32", conv),
	}
}

// gigaflops repeats work of so many operations for a tenth of a second and gives
// the rate of its best run.
func gigaflops(operations float64, work func(*torch.Scope)) float64 {
	best := math.Inf(1)
	for until := time.Now().Add(100 * time.Millisecond); ; {
		c := torch.NewInference()
		began := time.Now()
		work(c)
		best = min(best, time.Since(began).Seconds())
		if c.Close() != nil || time.Now().After(until) {
			return operations / best / 1e9
		}
	}
}
