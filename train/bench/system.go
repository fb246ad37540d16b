package bench

import (
	"os"
	"strconv"
	"strings"
)

// LoadAverage is the number of processes that ran in the last minute, on average; false
// where the system does not tell.
func LoadAverage() (float64, bool) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(text), " ")
	average, err := strconv.ParseFloat(first, 64)
	return average, err == nil
}

// firstToGo makes a process the first that the system ends when memory runs out,
// so that a large case does not take other programs with it.
func firstToGo(pid int) {
	// Where that is forbidden the system chooses for itself.
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("1000"), 0o644)
}
