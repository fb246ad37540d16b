package run

import (
	"encoding/binary"
	"math"
)

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
