package events

import (
	"bytes"
	"math"
	"strconv"
)

func init() {
	Register(".txt", decodeText)
}

// decodeText reads lines of four numbers, "t x y p" unless the options say
// otherwise; those that begin with '#' and empty ones are skipped.
func decodeText(content []byte, o Options) (*Recording, error) {
	var rows []float64
	number := 0
	for line := range bytes.Lines(content) {
		number++
		words := bytes.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if len(words) != 4 {
			return nil, malformed("line %d has %d words, want 4: t x y p", number, len(words))
		}
		for _, word := range words {
			x, err := strconv.ParseFloat(string(word), 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, malformed("line %d: %.40q is no number", number, word)
			}
			rows = append(rows, x)
		}
	}
	return fromRows(rows, o)
}
