// Package cache keeps what was made from files in memory, up to a number of bytes.
package cache

import "sync"

// Memory keeps items until its bytes are used up. What came first stays: training visits
// all with the same frequency, so that nothing is gained by putting out one for another.
// It may be used from several goroutines.
type Memory[K comparable] struct {
	mu    sync.RWMutex
	left  int64
	items map[K][]byte
}

// New makes a memory of so many bytes; below 0 it keeps nothing.
func New[K comparable](bytes int64) *Memory[K] {
	return &Memory[K]{left: bytes, items: map[K][]byte{}}
}

// Get is an item, nil where it is not kept.
func (m *Memory[K]) Get(key K) []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.items[key]
}

// Put keeps an item, which must not be changed any more, if it fits.
func (m *Memory[K]) Put(key K, item []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items[key] != nil || int64(len(item)) > m.left {
		return
	}
	m.left -= int64(len(item))
	m.items[key] = item
}
