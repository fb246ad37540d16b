package run

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
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

// message is a protocol buffer message in the making, field by field.
type message []byte

// The wire types of protocol buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

func (m message) tag(field, wire int) message {
	return binary.AppendUvarint(m, uint64(field<<3|wire))
}

func (m message) integer(field int, x int64) message {
	return binary.AppendUvarint(m.tag(field, wireVarint), uint64(x))
}

func (m message) double(field int, x float64) message {
	return binary.LittleEndian.AppendUint64(m.tag(field, wireFixed64), math.Float64bits(x))
}

func (m message) float(field int, x float32) message {
	return binary.LittleEndian.AppendUint32(m.tag(field, wireFixed32), math.Float32bits(x))
}

// bytes appends a field of bytes, of text, or of another message.
func (m message) bytes(field int, data []byte) message {
	m = binary.AppendUvarint(m.tag(field, wireBytes), uint64(len(data)))
	return append(m, data...)
}

// appendTFRecord appends data in the frame of TensorFlow's record files: length,
// checksum of the length, data, checksum of the data.
func appendTFRecord(frame, data []byte) []byte {
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	frame = append(frame, head...)
	frame = binary.LittleEndian.AppendUint32(frame, maskedCRC(head))
	frame = append(frame, data...)
	return binary.LittleEndian.AppendUint32(frame, maskedCRC(data))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is CRC-32C, rotated and shifted so that the checksum of data that
// contains checksums is still a good one.
func maskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
