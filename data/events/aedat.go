package events

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// AEDAT 2.0: lines that begin with '#', then pairs of 32-bit address and 32-bit
// time in microseconds, big-endian (jAER). The address of a DVS128 has the
// polarity in bit 0 (0: ON), the column in bits 1-7, counted from the right, the
// row in bits 8-14, counted from below; other bits mark external events.
const (
	aedatSize = 8
	dvsSide   = 128
)

func init() {
	Register(".aedat", decodeAEDAT)
}

func decodeAEDAT(content []byte, o Options) (*Recording, error) {
	if !bytes.HasPrefix(content, []byte("#!AER-DAT")) {
		return nil, malformed("does not begin with #!AER-DAT2.0; AEDAT 4 is to be converted to .npy first")
	}
	lines, content, err := header(content, '#')
	if err != nil {
		return nil, err
	}
	for i, line := range lines {
		if i == 0 && line != "#!AER-DAT2.0" {
			return nil, malformed("version %.20q; only #!AER-DAT2.0 is read", line)
		}
		if chip, ok := strings.CutPrefix(line, "# AEChip:"); ok && !strings.Contains(chip, "DVS128") {
			return nil, malformed("recorded by %.60q; only addresses of the DVS128 are read", strings.TrimSpace(chip))
		}
	}
	if rest := len(content) % aedatSize; rest != 0 {
		return nil, malformed("truncated: %d bytes behind the header are %d events of %d bytes and %d bytes",
			len(content), len(content)/aedatSize, aedatSize, rest)
	}
	r := &Recording{Events: make([]Event, 0, len(content)/aedatSize)}
	c := clock{bits: 32}
	for ; len(content) > 0; content = content[aedatSize:] {
		address := binary.BigEndian.Uint32(content)
		if address > 0x7fff {
			r.Problems.Special++
			continue
		}
		x, y := uint16(dvsSide-1-address>>1&0x7f), uint16(dvsSide-1-address>>8&0x7f)
		if o.Transpose {
			x, y = y, x
		}
		r.Events = append(r.Events, At(c.at(int64(binary.BigEndian.Uint32(content[4:])), &r.Problems), x, y, address&1 == 0))
	}
	return r, r.Finish(o, dvsSide, dvsSide)
}
