package stream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	data "github.com/spikedhs/spikedhs/data/stereo"
)

// The binary form of events in a pipe. All numbers are little-endian. It begins with
// 16 bytes:
//
//	8 bytes  "SDHSEV01"
//	uint16   width, uint16 height of the pictures in pixels
//	4 bytes  zeros
//
// and goes on with events of 16 bytes, both views mixed, in the order of time:
//
//	int64    time in microseconds
//	uint16   x, the column from 0; uint16 y, the row from 0
//	int8     polarity, +1 brighter or -1 darker
//	uint8    view, 0 left (the reference), 1 right
//	uint16   zero
const (
	packetMagic = "SDHSEV01"
	packetBytes = 16
)

// ErrPackets is the cause of an error about bytes that are no events.
var ErrPackets = errors.New("no stream of events: want SDHSEV01, width, height and events of 16 bytes, see docs/stereo.md")

// packetReader reads the binary form of events in a pipe.
type packetReader struct {
	r             *bufio.Reader
	width, height int
	number        int // of the event, from 1
	bad           int // events that were left out
}

func newPacketReader(r io.Reader) (*packetReader, error) {
	p := &packetReader{r: bufio.NewReaderSize(r, 1<<16)}
	head := make([]byte, packetBytes)
	if _, err := io.ReadFull(p.r, head); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("stream: the input ends before its head does: %w", ErrPackets)
		}
		return nil, fmt.Errorf("stream: read events: %w", err)
	}
	p.width, p.height = int(binary.LittleEndian.Uint16(head[8:])), int(binary.LittleEndian.Uint16(head[10:]))
	if string(head[:8]) != packetMagic || p.width < 1 || p.height < 1 || p.width > 1<<13 || p.height > 1<<13 {
		return nil, fmt.Errorf("stream: it begins with %q, pictures of %d x %d pixels: %w", head[:8], p.width, p.height, ErrPackets)
	}
	return p, nil
}

// next is the next event, io.EOF behind the last. Events outside of the picture or
// with another polarity are counted and left out; another view is an error, since
// the input then is no stream of events or lost its beat.
func (p *packetReader) next() (data.View, data.Event, error) {
	var b [packetBytes]byte
	for {
		if _, err := io.ReadFull(p.r, b[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return 0, data.Event{}, io.EOF
			}
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return 0, data.Event{}, fmt.Errorf("stream: the input ends inside of event %d: %w", p.number+1, ErrPackets)
			}
			return 0, data.Event{}, fmt.Errorf("stream: read events: %w", err)
		}
		p.number++
		x, y := binary.LittleEndian.Uint16(b[8:]), binary.LittleEndian.Uint16(b[10:])
		polarity := int8(b[12])
		switch {
		case b[13] > 1:
			return 0, data.Event{}, fmt.Errorf("stream: event %d is of view %d; 0 is left, 1 right: %w", p.number, b[13], ErrPackets)
		case int(x) >= p.width || int(y) >= p.height || polarity != 1 && polarity != -1:
			p.bad++
			continue
		}
		t := float64(int64(binary.LittleEndian.Uint64(b[:]))) / 1e6
		return data.View(b[13]), data.Event{T: t, X: x, Y: y, P: polarity}, nil
	}
}
