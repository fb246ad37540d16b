package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spikedhs/spikedhs/train/task"
)

const (
	absent = "–"      // stands for an unknown value
	narrow = "\u202f" // a narrow space that does not break
)

// percent writes a share that is in percent already.
func percent(x float64) string { return fmt.Sprintf("%.2f", x) + narrow + "%" }

// fixed writes a number such as a loss.
func fixed(x float64) string { return fmt.Sprintf("%.4f", x) }

// significant writes a number with about four digits that mean something.
func significant(x float64) string {
	size := math.Abs(x)
	switch {
	case size >= 1000:
		return grouped(int64(math.Round(x)))
	case size >= 100:
		return fmt.Sprintf("%.0f", x)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// grouped writes a whole number with its digits in threes.
func grouped(n int64) string { return task.Grouped(n, narrow) }

// short writes a large number as thousands or millions.
func short(n int64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.2f", float64(n)/1e6) + narrow + "M"
	case n >= 1e4:
		return fmt.Sprintf("%.1f", float64(n)/1e3) + narrow + "k"
	}
	return grouped(n)
}

// duration writes seconds in the two largest units that matter.
func duration(seconds float64) string {
	whole := int64(math.Round(seconds))
	switch {
	case seconds < 59.95:
		return fmt.Sprintf("%.1f", seconds) + narrow + "s"
	case whole < 3600:
		return fmt.Sprintf("%d%smin %d%ss", whole/60, narrow, whole%60, narrow)
	case whole < 48*3600:
		return fmt.Sprintf("%d%sh %d%smin", whole/3600, narrow, whole/60%60, narrow)
	}
	return fmt.Sprintf("%d%sd %d%sh", whole/86400, narrow, whole/3600%24, narrow)
}

// bytesIn writes an amount of memory.
func bytesIn(n float64) string {
	for _, unit := range []string{"B", "KiB", "MiB"} {
		if n < 1000 {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") + narrow + unit
		}
		n /= 1024
	}
	return fmt.Sprintf("%.2f", n) + narrow + "GiB"
}

// moment writes a time in UTC.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// commandLine writes arguments as one would type them.
func commandLine(arguments []string) string {
	words := make([]string, len(arguments))
	for i, a := range arguments {
		words[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\$`&|;<>()*?[]#~!{}") {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// plural writes a count with its noun.
func plural(n int, noun string) string { return task.Plural(n, noun) }

// upper begins a text with a large letter.
func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
