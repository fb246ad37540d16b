package onnx

import (
	"encoding/binary"
	"math"
)

// message is a message of protocol buffers that is being written: fields in the order in
// which they are added (https://protobuf.dev/programming-guides/encoding).
type message []byte

// Types of fields on the wire.
const (
	varint   = 0
	sized    = 2
	fixed32  = 5
	typeBits = 3
)

func (m *message) key(field, kind int) {
	*m = binary.AppendUvarint(*m, uint64(field)<<typeBits|uint64(kind))
}

// number adds an integer.
func (m *message) number(field int, n int64) {
	m.key(field, varint)
	*m = binary.AppendUvarint(*m, uint64(n))
}

// float adds a number of 32 bits.
func (m *message) float(field int, x float32) {
	m.key(field, fixed32)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(x))
}

// text adds a string.
func (m *message) text(field int, s string) {
	m.key(field, sized)
	*m = append(binary.AppendUvarint(*m, uint64(len(s))), s...)
}

// bytes adds bytes, or a message within this one.
func (m *message) bytes(field int, b []byte) {
	m.key(field, sized)
	*m = append(binary.AppendUvarint(*m, uint64(len(b))), b...)
}

// pair adds a message of two strings, which ONNX has for notes.
func (m *message) pair(field int, key, value string) {
	var p message
	p.text(1, key)
	p.text(2, value)
	m.bytes(field, p)
}
