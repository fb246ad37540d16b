package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
)

// Graph is a recorded sequence of CUDA work: done again as one, it costs the
// processor one call instead of one for each operator.
//
// It works on the memory that it was recorded with: give it new data by
// overwriting the tensors that the recording read, and read what it computed from
// tensors that the recording changed in place. Numbers that Go passed to an
// operator stay what they were at the recording. Tensors made while it was recorded
// may be freed; their memory stays the graph's.
type Graph struct{ handle C.sd_graph }

// ErrNoGraph is the cause of an error about work that cannot be recorded.
var ErrNoGraph = errors.New("this work cannot be recorded as a CUDA graph")

// OwnStream gives the calling goroutine's work on d a CUDA stream of its own,
// without which nothing can be recorded. It pins the goroutine to its OS thread
// until leave is called by the same goroutine. Work done before is waited for, and
// leave waits for the work on the stream. On the CPU both do nothing.
func OwnStream(d Device) (leave func() error, err error) {
	index, ok := cudaIndex(d)
	if !ok {
		return func() error { return nil }, nil
	}
	unpin := Pin()
	what := "stream of " + DeviceName(d)
	var stream C.sd_stream
	if err := failure(what, C.sd_stream_enter(index, &stream)); err != nil {
		unpin()
		return nil, err
	}
	return func() error {
		defer unpin()
		return failure(what, C.sd_stream_leave(stream))
	}, nil
}

// Record runs work once without doing it and returns it as a graph. It must be
// called inside [OwnStream], and the same work should have been done there before,
// since libraries set themselves up at their first call. Work must not read a
// tensor's numbers, copy from the host, or wait.
//
// memory, if not nil, is a graph whose memory this one may use too. Then nothing
// that one of them made may be needed after the other has run.
//
// An error wraps [ErrNoGraph]; nothing was done then, and the work can still be
// done as usual.
func Record(d Device, memory *Graph, work func() error) (*Graph, error) {
	index, ok := cudaIndex(d)
	if !ok {
		return nil, fmt.Errorf("torch: record: %w: device %s is not a CUDA device", ErrNoGraph, DeviceName(d))
	}
	defer Pin()()
	var share C.sd_graph
	if memory != nil {
		share = memory.handle
	}
	var handle C.sd_graph
	err := message(C.sd_graph_begin(index, share, &handle))
	runtime.KeepAlive(memory)
	if err != nil {
		return nil, fmt.Errorf("torch: record: %w: %w", ErrNoGraph, err)
	}
	recorded := false
	defer func() { // also when work panics
		if !recorded {
			C.sd_graph_abandon(handle)
		}
	}()
	if err := work(); err != nil {
		return nil, fmt.Errorf("torch: record: %w: %w", ErrNoGraph, err)
	}
	recorded = true // or lost, when its end fails
	if err := message(C.sd_graph_end(handle)); err != nil {
		return nil, fmt.Errorf("torch: record: %w: %w", ErrNoGraph, err)
	}
	return &Graph{handle: handle}, nil
}

// Replay starts the recorded work once more and returns at once.
func (g *Graph) Replay() error { return failure("replay", C.sd_graph_replay(g.handle)) }

// Close frees the graph and its memory. The work must have ended: leave the
// stream first, or call [Synchronize]. A second Close does nothing.
func (g *Graph) Close() {
	if g == nil || g.handle == nil {
		return
	}
	C.sd_graph_free(g.handle)
	g.handle = nil
}
