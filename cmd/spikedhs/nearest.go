package main

import "github.com/spikedhs/spikedhs/train/config"

// nearest is the candidate that a mistyped word was most likely meant to be, "" if
// none is close.
func nearest(word string, candidates []string) string {
	best, limit := "", min(len(word)/2, 2)+1
	for _, c := range candidates {
		if d := config.Distance(word, c); d < limit {
			best, limit = c, d
		}
	}
	return best
}
