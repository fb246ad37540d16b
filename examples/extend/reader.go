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
			polarity := int8(-1)
			if word[6] == 1 {
				polarity = 1
			}
			r.Events = append(r.Events, events.Event{
				T: float64(binary.LittleEndian.Uint32(word)) / 1000, X: uint16(word[4]), Y: uint16(word[5]), P: polarity,
			})
		}
		return r, r.Finish(o, 0, 0)
	})
}
