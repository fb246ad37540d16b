package run

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"
)

// Metrics appends records to a metrics file. Every record is in the file when
// [Metrics.Log] returns, so that a killed process loses at most the last line.
//
// It may be used from several goroutines.
type Metrics struct {
	mu      sync.Mutex
	file    *os.File
	offset  int64
	records int
	line    []byte
	start   time.Time // such that now-start is the run's time over all its parts
	now     func() time.Time
	rss     func() (megabytes float64, ok bool)
}

// CreateMetrics makes a new metrics file.
func CreateMetrics(path string) (*Metrics, error) {
	return openMetrics(path, os.O_EXCL|os.O_CREATE, func(*os.File) (int64, error) { return 0, nil })
}

// OpenMetricsAfter opens a metrics file to go on behind its first records, as many
// as [Metrics.Records] counted when the checkpoint was made, or makes it. Records behind
// them, and what a crash left of a torn last line, are cut off. Unlike a byte offset that
// number is the same for all runs of one seed.
func OpenMetricsAfter(path string, records int) (*Metrics, error) {
	m, err := openMetrics(path, os.O_CREATE, func(f *os.File) (int64, error) {
		text, err := io.ReadAll(f)
		if err != nil {
			return 0, err
		}
		end := 0
		for n := range records {
			length := bytes.IndexByte(text[end:], '\n') + 1
			if length == 0 {
				return 0, fmt.Errorf("%s has %d records but the checkpoint was made after %d: they are not of the same run", path, n, records)
			}
			end += length
		}
		return int64(end), nil
	})
	if err == nil {
		m.records = records
	}
	return m, err
}

// Records is the number of records written, those before a resume included where
// the file was opened by [OpenMetricsAfter].
func (m *Metrics) Records() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records
}

// openMetrics opens the file, cuts it at the place that end finds, and goes on with
// the time of the last record that is left.
func openMetrics(path string, flags int, end func(*os.File) (int64, error)) (_ *Metrics, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|flags, 0o666)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	m := &Metrics{file: file, now: time.Now, rss: residentMegabytes}
	if m.offset, err = end(file); err != nil {
		return nil, err
	}
	if err := m.rewind(); err != nil {
		return nil, err
	}
	elapsed, err := lastSeconds(path)
	if err != nil {
		return nil, err
	}
	m.start = m.now().Add(-time.Duration(elapsed * float64(time.Second)))
	return m, nil
}

// rewind cuts off what is behind the last whole record.
func (m *Metrics) rewind() error {
	if err := m.file.Truncate(m.offset); err != nil {
		return err
	}
	_, err := m.file.Seek(m.offset, io.SeekStart)
	return err
}

// lastSeconds is the time of the last record in a file of whole records.
func lastSeconds(path string) (float64, error) {
	records, err := ReadMetrics(path)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	seconds, _ := records[len(records)-1].Wall.Float("seconds")
	return seconds, nil
}

// Log appends a record: its kind, the fields in the order given, and an object
// "wall" with the seconds since the run began, the megabytes of memory in use and
// the [Wall] fields.
func (m *Metrics) Log(kind string, fields ...Field) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := append([]Field{Wall("seconds", milli(m.now().Sub(m.start).Seconds()))}, fields...)
	if rss, ok := m.rss(); ok {
		all = append(all, Wall("rss_mb", milli(rss)))
	}
	line, err := appendRecord(m.line[:0], kind, all)
	if err != nil {
		return err
	}
	m.line = line
	if _, err := m.file.Write(line); err != nil {
		if failed := m.rewind(); failed != nil { // a full disk may have taken a part of the line
			return fmt.Errorf("%w; the torn line stays: %v", err, failed)
		}
		return err
	}
	m.offset += int64(len(line))
	m.records++
	return nil
}

// milli rounds to three decimals.
func milli(x float64) float64 { return math.Round(x*1000) / 1000 }

// Sync makes the records so far last through a power failure. A checkpoint that
// keeps their number calls it first.
func (m *Metrics) Sync() error { return m.file.Sync() }

// Close closes the file.
func (m *Metrics) Close() error { return m.file.Close() }
