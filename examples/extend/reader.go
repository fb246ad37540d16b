package main

import (
	"encoding/binary"
	"fmt"

	"github.com/spikedhs/spikedhs/data/events"
)

// A reader of recordings is one file: the end of the files' names, and how their content
// becomes events. This format has 8 bytes an event: milliseconds, x, y and polarity. Finish
// sorts, checks and counts what no reader should have to.
func init() {
	events.Register(".ms8", func(content []byte, o events.Options) (*events.Recording, error) {
		if len(content)%8 != 0 {
			return nil, fmt.Errorf("%d bytes are no events of 8 bytes: %w", len(content), events.ErrFormat)
		}
		r := &events.Recording{}
		for at := 0; at < len(content); at += 8 {
			word := content[at:]
			milliseconds := int64(binary.LittleEndian.Uint32(word))
			r.Events = append(r.Events, events.At(1000*milliseconds, uint16(word[4]), uint16(word[5]), word[6] == 1))
		}
		return r, r.Finish(o, 0, 0)
	})
}
