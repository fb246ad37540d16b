package run

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// field is one decoded field of a message: a varint, fixed bits, or bytes.
type field struct {
	bits uint64
	data []byte
}

// decodeMessage is a decoder of protocol buffers that shares nothing with the writer.
func decodeMessage(t *testing.T, data []byte) map[int]field {
	t.Helper()
	varint := func() (x uint64) {
		for shift := 0; ; shift += 7 {
			require.NotEmpty(t, data)
			b := data[0]
			data = data[1:]
			x |= uint64(b&0x7f) << shift
			if b < 0x80 {
				return x
			}
		}
	}
	fields := map[int]field{}
	for len(data) > 0 {
		tag := varint()
		var f field
		switch tag & 7 {
		case 0:
			f.bits = varint()
		case 1:
			f.bits = binary.LittleEndian.Uint64(data)
			data = data[8:]
		case 2:
			n := int(varint())
			require.LessOrEqual(t, n, len(data))
			f.data, data = data[:n], data[n:]
		case 5:
			f.bits = uint64(binary.LittleEndian.Uint32(data))
			data = data[4:]
		default:
			t.Fatalf("wire type %d", tag&7)
		}
		require.NotContains(t, fields, int(tag>>3))
		fields[int(tag>>3)] = f
	}
	return fields
}

// bitwiseMaskedCRC is CRC-32C by its polynomial, one bit at a time, then masked.
func bitwiseMaskedCRC(data []byte) uint32 {
	crc := uint32(0xffffffff)
	for _, b := range data {
		crc ^= uint32(b)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0x82f63b78
			} else {
				crc >>= 1
			}
		}
	}
	crc = ^crc
	return uint32((uint64(crc)>>15|uint64(crc)<<17)&0xffffffff) + 0xa282ead8
}

// decodeEvents takes an event file apart and checks the frames.
func decodeEvents(t *testing.T, file []byte) []map[int]field {
	t.Helper()
	var events []map[int]field
	for len(file) > 0 {
		require.GreaterOrEqual(t, len(file), 16)
		n := binary.LittleEndian.Uint64(file)
		require.Equal(t, bitwiseMaskedCRC(file[:8]), binary.LittleEndian.Uint32(file[8:]))
		data := file[12 : 12+n]
		require.Equal(t, bitwiseMaskedCRC(data), binary.LittleEndian.Uint32(file[12+n:]))
		events = append(events, decodeMessage(t, data))
		file = file[16+n:]
	}
	return events
}

func TestBitwiseCRCOfTheStandardVector(t *testing.T) {
	crc := uint32(0xe3069283) // CRC-32C of "123456789"
	assert.Equal(t, (crc>>15|crc<<17)+0xa282ead8, bitwiseMaskedCRC([]byte("123456789")))
}

func TestEvents(t *testing.T) {
	dir := t.TempDir()
	e, err := NewEvents(dir)
	require.NoError(t, err)
	e.now = func() time.Time { return time.UnixMicro(1700000000_250000) }
	require.NoError(t, e.Scalar(300, "train/loss", 0.625))
	require.NoError(t, e.Scalar(1<<40, "nan", math.NaN()))
	require.NoError(t, e.Restart(250))
	require.NoError(t, e.Close())

	paths, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	require.NoError(t, err)
	require.Len(t, paths, 1)
	assert.Regexp(t, `events\.out\.tfevents\.\d{10,}\.\d+$`, paths[0])
	file, err := os.ReadFile(paths[0])
	require.NoError(t, err)
	events := decodeEvents(t, file)
	require.Len(t, events, 4)

	assert.Equal(t, "brain.Event:2", string(events[0][3].data))
	assert.Equal(t, 1700000000.25, math.Float64frombits(events[1][1].bits))
	assert.EqualValues(t, 300, events[1][2].bits)
	value := decodeMessage(t, decodeMessage(t, events[1][5].data)[1].data)
	assert.Equal(t, "train/loss", string(value[1].data))
	assert.Equal(t, float32(0.625), math.Float32frombits(uint32(value[2].bits)))

	assert.EqualValues(t, 1<<40, events[2][2].bits)
	value = decodeMessage(t, decodeMessage(t, events[2][5].data)[1].data)
	assert.True(t, math.IsNaN(float64(math.Float32frombits(uint32(value[2].bits)))))

	assert.EqualValues(t, 250, events[3][2].bits)
	assert.EqualValues(t, 1, decodeMessage(t, events[3][7].data)[1].bits)
}

func TestEventFilesOfOneSecond(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		e, err := NewEvents(dir)
		require.NoError(t, err)
		require.NoError(t, e.Close())
	}
	paths, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	require.NoError(t, err)
	assert.Len(t, paths, 3)
	_, err = NewEvents(filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
