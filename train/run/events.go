package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Events writes a TensorBoard event file. Every event is in the file when its
// method returns.
//
// It may be used from several goroutines.
type Events struct {
	mu   sync.Mutex
	file *os.File
	now  func() time.Time
}

// The fields of the messages of TensorFlow's event.proto and summary.proto.
const (
	eventWallTime    = 1
	eventStep        = 2
	eventFileVersion = 3
	eventSummary     = 5
	eventSessionLog  = 7

	sessionLogStatus = 1
	sessionStart     = 1

	summaryValue = 1

	valueTag    = 1
	valueScalar = 2
)

// NewEvents makes a new event file in the folder dir, named as TensorBoard expects.
func NewEvents(dir string) (*Events, error) {
	e := &Events{now: time.Now}
	name := filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%d.%d", e.now().Unix(), os.Getpid()))
	path := name
	for n := 1; ; n++ {
		var err error
		e.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		path = fmt.Sprintf("%s.%d", name, n) // the second file within one second
	}
	if err := e.write(e.event().bytes(eventFileVersion, []byte("brain.Event:2"))); err != nil {
		_ = e.file.Close()
		return nil, err
	}
	return e, nil
}

// Restart says that the run goes on at step: TensorBoard then drops what earlier
// event files hold from there on.
func (e *Events) Restart(step int64) error {
	start := message(nil).integer(sessionLogStatus, sessionStart)
	return e.write(e.event().integer(eventStep, step).bytes(eventSessionLog, start))
}

// Scalar writes a number.
func (e *Events) Scalar(step int64, tag string, value float64) error {
	summary := message(nil).bytes(summaryValue, message(nil).bytes(valueTag, []byte(tag)).float(valueScalar, float32(value)))
	return e.write(e.event().integer(eventStep, step).bytes(eventSummary, summary))
}

// Close closes the file.
func (e *Events) Close() error { return e.file.Close() }

// event begins an event of this moment.
func (e *Events) event() message {
	return message(nil).double(eventWallTime, float64(e.now().UnixMicro())/1e6)
}

func (e *Events) write(event message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := e.file.Write(appendTFRecord(nil, event))
	return err
}
