package events

import "fmt"

// The 40-bit events of N-MNIST and N-Caltech101 (Orchard et al. 2015): 8 bits x,
// 8 bits y, 1 bit polarity (1: ON), 23 bits of time in microseconds, big-endian.
const (
	aerSize  = 5
	aerClock = 23
	// aerOverflow is the row of an event that stands for a lap of the camera's own
	// clock: all later times are 2^13 us later. The sensor has fewer rows.
	aerOverflow = 240
	aerLap      = 1 << 13
)

func init() {
	Register(".bin", decodeAER)
	Register(".bs2", decodeAER)
}

func decodeAER(content []byte, o Options) (*Recording, error) {
	if rest := len(content) % aerSize; rest != 0 {
		return nil, malformed("truncated: %d bytes are %d events of %d bytes and %d bytes", len(content), len(content)/aerSize, aerSize, rest)
	}
	r := &Recording{Events: make([]Event, 0, len(content)/aerSize)}
	c, laps := clock{bits: aerClock}, int64(0)
	for ; len(content) > 0; content = content[aerSize:] {
		time := int64(content[2]&0x7f)<<16 | int64(content[3])<<8 | int64(content[4])
		if content[1] == aerOverflow {
			laps += aerLap
			r.Problems.Special++
			continue
		}
		r.Events = append(r.Events, At(c.at(time, &r.Problems)+laps, uint16(content[0]), uint16(content[1]), content[2]&0x80 != 0))
	}
	return r, r.Finish(o, 0, 0)
}

// EncodeAER writes events as the 40-bit events of N-MNIST, which [Open] reads from
// .bin files. Times are counted from the first event. It fails where a column is
// above 255, a row above 239, or the recording is longer than 2^23 us (8.4 s).
func EncodeAER(list []Event) ([]byte, error) {
	content := make([]byte, 0, aerSize*len(list))
	for i, e := range list {
		time := e.Microseconds() - list[0].Microseconds()
		if e.X > 0xff || e.Y >= aerOverflow || time < 0 || time >= 1<<aerClock {
			return nil, fmt.Errorf("event %d (x %d, y %d, %d us after the first) has no place in 40 bits", i, e.X, e.Y, time)
		}
		polarity := byte(0)
		if e.P > 0 {
			polarity = 0x80
		}
		content = append(content, byte(e.X), byte(e.Y), polarity|byte(time>>16), byte(time>>8), byte(time))
	}
	return content, nil
}
