// Package live checks, for tests, that tensors are freed.
package live

import (
	"runtime"
	"testing"
	"time"
)

// Same checks at the end of a test that as many tensors are alive as now; count is
// torch.LiveTensors. It is called before anything is made.
//
// What an earlier test left to Go's collector would go at any time, in the middle of
// this test too, so it is collected first.
func Same(t testing.TB, count func() int64) {
	t.Helper()
	before := settled(count)
	t.Cleanup(func() {
		t.Helper()
		if after := count(); after != before {
			t.Errorf("%d tensors alive before the test, %d after it", before, after)
		}
	})
}

// settled is the count that two collections in a row do not change: a finalizer runs
// some time after the collection that finds its tensor.
func settled(count func() int64) int64 {
	alive, same := count(), 0
	for rounds := 0; alive != 0 && same < 2 && rounds < 50; rounds++ {
		runtime.GC()
		time.Sleep(time.Millisecond)
		now := count()
		if now == alive {
			same++
		} else {
			same = 0
		}
		alive = now
	}
	return alive
}
