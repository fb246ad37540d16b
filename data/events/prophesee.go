package events

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// percentHeader cuts off the lines that begin with '%' and returns their words.
func percentHeader(content []byte) (words [][]string, rest []byte, err error) {
	lines, rest, err := header(content, '%')
	for _, line := range lines {
		words = append(words, strings.Fields(strings.ToLower(strings.TrimLeft(line, "% "))))
	}
	return words, rest, err
}

// declared finds the sensor's size in a header: "width 304" and "height 240", or
// "geometry 640x480". 0: not there.
func declared(lines [][]string) (width, height int) {
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1<<16 {
			return 0
		}
		return n
	}
	for _, words := range lines {
		if len(words) != 2 {
			continue
		}
		switch words[0] {
		case "width":
			width = number(words[1])
		case "height":
			height = number(words[1])
		case "geometry":
			w, h, _ := strings.Cut(words[1], "x")
			width, height = number(w), number(h)
		}
	}
	return width, height
}

func init() {
	Register(".dat", decodeDAT)
	Register(".raw", decodeRAW)
}

// decodeDAT reads 64-bit events behind a header and two bytes, kind and size:
// 32-bit time in microseconds, then 14 bits x, 14 bits y, and the polarity in
// bit 28 (1: ON), little-endian.
func decodeDAT(content []byte, o Options) (*Recording, error) {
	const size = 8
	lines, content, err := percentHeader(content)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, malformed("does not begin with a header of lines with %%")
	}
	if len(content) < 2 {
		return nil, malformed("truncated: nothing behind the header")
	}
	if kind := content[0]; (kind != 0x00 && kind != 0x0c) || content[1] != size {
		return nil, malformed("holds events of kind %d and %d bytes; only changes of brightness (0 or 12) of 8 bytes are read", kind, content[1])
	}
	content = content[2:]
	if rest := len(content) % size; rest != 0 {
		return nil, malformed("truncated: %d bytes behind the header are %d events of 8 bytes and %d bytes", len(content), len(content)/size, rest)
	}
	r := &Recording{Events: make([]Event, 0, len(content)/size)}
	c := clock{bits: 32}
	for ; len(content) > 0; content = content[size:] {
		data := binary.LittleEndian.Uint32(content[4:])
		time := c.at(int64(binary.LittleEndian.Uint32(content)), &r.Problems)
		r.Events = append(r.Events, At(time, uint16(data&0x3fff), uint16(data>>14&0x3fff), data>>28&1 != 0))
	}
	w, h := declared(lines)
	return r, r.Finish(o, w, h)
}

// decodeRAW reads Prophesee's EVT 2.0 and EVT 3.0; the header says which.
func decodeRAW(content []byte, o Options) (*Recording, error) {
	lines, content, err := percentHeader(content)
	if err != nil {
		return nil, err
	}
	version := ""
	for _, words := range lines {
		if len(words) == 2 && words[0] == "evt" {
			version = words[1]
		}
	}
	r := &Recording{}
	switch version {
	case "2.0":
		err = r.decodeEVT2(content)
	case "3.0":
		err = r.decodeEVT3(content)
	default:
		err = malformed("the header has no line \"%% evt 2.0\" or \"%% evt 3.0\"")
	}
	if err != nil {
		return nil, err
	}
	w, h := declared(lines)
	return r, r.Finish(o, w, h)
}

// decodeEVT2 reads 32-bit words: kind in the upper 4 bits. 0 and 1 are OFF and ON
// with 6 bits of time, 11 bits x, 11 bits y; 8 has the upper 28 bits of the time.
func (r *Recording) decodeEVT2(content []byte) error {
	const size = 4
	if len(content)%size != 0 {
		return malformed("truncated: %d bytes behind the header are no number of 32-bit words", len(content))
	}
	c, high, known := clock{bits: 34}, int64(0), false
	for ; len(content) > 0; content = content[size:] {
		w := binary.LittleEndian.Uint32(content)
		switch kind := w >> 28; {
		case kind == 0x8:
			high, known = int64(w&0x0fffffff)<<6, true
		case kind <= 1 && known:
			r.Events = append(r.Events, At(c.at(high|int64(w>>22&0x3f), &r.Problems), uint16(w>>11&0x7ff), uint16(w&0x7ff), kind == 1))
		default: // a trigger, or an event before the first time
			r.Problems.Special++
		}
	}
	return nil
}

// decodeEVT3 reads 16-bit words: kind in the upper 4 bits. They set the row, the
// time (12 bits each of high and low) or a column, and tell which of the next
// columns have changed.
func (r *Recording) decodeEVT3(content []byte) error {
	const size = 2
	if len(content)%size != 0 {
		return malformed("truncated: %d bytes behind the header are no number of 16-bit words", len(content))
	}
	c, high, low, time, known := clock{bits: 24}, int64(0), int64(0), int64(0), false
	x, y, on := 0, 0, false
	vector := func(bits uint16, count int) {
		for i := range count {
			if bits>>i&1 != 0 && known && x+i < 1<<11 {
				r.Events = append(r.Events, At(time, uint16(x+i), uint16(y), on))
			}
		}
		x += count
	}
	for ; len(content) > 0; content = content[size:] {
		w := binary.LittleEndian.Uint16(content)
		switch w >> 12 {
		case 0x0:
			y = int(w & 0x7ff)
		case 0x2:
			if known {
				r.Events = append(r.Events, At(time, w&0x7ff, uint16(y), w>>11&1 != 0))
			}
		case 0x3:
			x, on = int(w&0x7ff), w>>11&1 != 0
		case 0x4:
			vector(w&0xfff, 12)
		case 0x5:
			vector(w&0xff, 8)
		case 0x6:
			low = int64(w & 0xfff)
			if known {
				time = c.at(high|low, &r.Problems)
			}
		case 0x8:
			// The low part begins again with a new high one.
			if next := int64(w&0xfff) << 12; next != high || !known {
				high, low, known = next, 0, true
				time = c.at(high, &r.Problems)
			}
		default:
			r.Problems.Special++
		}
	}
	return nil
}
