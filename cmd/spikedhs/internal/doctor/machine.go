package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/data"
)

// dataSets says which data sets are there.
func dataSets() []Check {
	const first = "fashion-mnist" // what the demo needs
	var list []Check
	var absent []string
	for _, name := range data.Names() {
		where, err := data.Locate(name, "", data.Train)
		switch {
		case err == nil:
			list = append(list, ok("data "+name, "%s", where))
		case name == first:
			list = append(list, ok("data "+name, "not found").
				but(Warn, "Run spikedhs data fetch %s; the demo needs it.", name))
		case data.Fetchable(name):
			absent = append(absent, name)
		}
	}
	if len(absent) > 0 {
		list = append(list, ok("data", "not found: %s; spikedhs data fetch NAME gets one", strings.Join(absent, ", ")))
	}
	return list
}

// Free memory and disk below which a run is likely to fail.
const (
	gigabyte  = 1 << 30
	lowMemory = 2 * gigabyte
	lowDisk   = 1 * gigabyte
)

// resources checks free memory and disk.
func resources() []Check {
	memory := ok("memory", "this system does not tell")
	text, _ := os.ReadFile("/proc/meminfo") // empty where there is none
	if free, known := availableOf(string(text)); known {
		memory = ok("memory", "%.1f GiB available", float64(free)/gigabyte)
		if free < lowMemory {
			memory = memory.but(Warn, "Close other programs, or train with a smaller train.batch and search.batch.")
		}
	}
	list := []Check{memory, disk("disk here", ".")}
	if dir := existingParent(data.DefaultDir()); dir != "" {
		list = append(list, disk("disk for data", dir))
	}
	return list
}

func disk(name, dir string) Check {
	free, err := freeDisk(dir)
	if err != nil {
		return ok(name, "this system does not tell")
	}
	c := ok(name, "%.1f GiB free", float64(free)/gigabyte)
	if free < lowDisk {
		return c.but(Warn, "Free some space, or choose another place with --out and SPIKEDHS_DATA.")
	}
	return c
}

// availableOf reads the memory that programs may still take.
func availableOf(meminfo string) (bytes uint64, known bool) {
	for line := range strings.Lines(meminfo) {
		if rest, found := strings.CutPrefix(line, "MemAvailable:"); found {
			kilobytes, err := strconv.ParseUint(strings.Fields(rest + " -")[0], 10, 64)
			return kilobytes << 10, err == nil
		}
	}
	return 0, false
}

// existingParent is dir or the nearest folder above it that exists.
func existingParent(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			return dir
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return ""
	}
}
