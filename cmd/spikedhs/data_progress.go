package main

import (
	"sync"

	"github.com/spikedhs/spikedhs/train/run"
)

// counter shows the calls of a function that is told how much of how much is done.
func counter(p *run.Progress, label, unit string) func(done, total int) {
	var mu sync.Mutex
	shown := -1
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if shown < 0 {
			p.Start(label, unit, total, 0)
			shown = 0
		}
		if done > shown {
			p.Add(done-shown, "")
			shown = done
		}
	}
}
