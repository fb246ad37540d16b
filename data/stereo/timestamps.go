package stereo

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// ReadTimestamps reads a timestamps.txt: one time in seconds a line, # starts a
// comment. Times that are no finite number or do not rise are an error.
func ReadTimestamps(path string) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, classify(err)
	}
	defer f.Close()
	var times []float64
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		t, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(t, 0) || math.IsNaN(t) {
			return nil, malformed("%s:%d: %.40q is not a time in seconds; convert the sequence again", path, n, text)
		}
		if len(times) > 0 && t <= times[len(times)-1] {
			return nil, malformed("%s:%d: time %s is not after the one before it; convert the sequence again", path, n, text)
		}
		times = append(times, t)
	}
	if err := lines.Err(); err != nil {
		return nil, malformed("%s: %v", path, err)
	}
	return times, nil
}

// WriteTimestamps writes a timestamps.txt with six decimals, as C's %f.
func WriteTimestamps(path string, times []float64) error {
	var b strings.Builder
	b.WriteString("# timestamp\n")
	for _, t := range times {
		fmt.Fprintf(&b, "%f\n", t)
	}
	return os.WriteFile(path, []byte(b.String()), 0o666)
}
