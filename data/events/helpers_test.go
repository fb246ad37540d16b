package events

import (
	"encoding/binary"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// drawn are events on a sensor in the order of time.
func drawn(seed int64, n, width, height int, longest int64) []Event {
	rng := rand.New(rand.NewSource(seed))
	list := make([]Event, n)
	time := int64(0)
	for i := range list {
		time += rng.Int63n(2 * longest / int64(n))
		list[i] = At(time, uint16(rng.Intn(width)), uint16(rng.Intn(height)), rng.Intn(2) == 1)
	}
	return list
}

// noise is an image of so many random pixels.
func noise(seed int64, n int) []byte {
	rng := rand.New(rand.NewSource(seed))
	list := make([]byte, n)
	for i := range list {
		list[i] = byte(rng.Intn(256))
	}
	return list
}

func bit(on bool) uint32 {
	if on {
		return 1
	}
	return 0
}

// aedat writes events as a DVS128 does, apart from the reader.
func aedat(list []Event) []byte {
	content := []byte("#!AER-DAT2.0\r\n# This is a raw AE data file\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n")
	for _, e := range list {
		address := uint32(127-e.Y)<<8 | uint32(127-e.X)<<1 | 1 - bit(e.P > 0)
		content = binary.BigEndian.AppendUint32(content, address)
		content = binary.BigEndian.AppendUint32(content, uint32(e.Microseconds()))
	}
	return content
}

// dat writes 64-bit events.
func dat(list []Event, header string) []byte {
	content := append([]byte(header), 0, 8)
	for _, e := range list {
		content = binary.LittleEndian.AppendUint32(content, uint32(e.Microseconds()))
		content = binary.LittleEndian.AppendUint32(content, uint32(e.X)|uint32(e.Y)<<14|bit(e.P > 0)<<28)
	}
	return content
}

// evt2 writes EVT 2.0.
func evt2(list []Event) []byte {
	content := []byte("% evt 2.0\n% geometry 640x480\n")
	last := int64(-1)
	for _, e := range list {
		if high := e.Microseconds() >> 6; high != last {
			last = high
			content = binary.LittleEndian.AppendUint32(content, 8<<28|uint32(high))
		}
		content = binary.LittleEndian.AppendUint32(content, bit(e.P > 0)<<28|uint32(e.Microseconds()&63)<<22|uint32(e.X)<<11|uint32(e.Y))
	}
	return content
}

// evt3 writes EVT 3.0, one column a word.
func evt3(list []Event) []byte {
	content := []byte("% evt 3.0\n% width 1280\n% height 720\n")
	word := func(kind, value int64) { content = binary.LittleEndian.AppendUint16(content, uint16(kind<<12|value)) }
	high := int64(-1)
	for _, e := range list {
		if e.Microseconds()>>12 != high {
			high = e.Microseconds() >> 12
			word(8, high&0xfff)
		}
		word(6, e.Microseconds()&0xfff)
		word(0, int64(e.Y))
		word(2, int64(bit(e.P > 0))<<11|int64(e.X))
	}
	return content
}

func text(list []Event) []byte {
	var b strings.Builder
	b.WriteString("# t x y p\n\n")
	for _, e := range list {
		fmt.Fprintf(&b, "%d.%06d %d %d %d\n", e.Microseconds()/1_000_000, e.Microseconds()%1_000_000, e.X, e.Y, bit(e.P > 0))
	}
	return []byte(b.String())
}

// samples unpacks the archive of real files of many formats.
func samples(t testing.TB) string {
	t.Helper()
	shared := os.Getenv("SPIKEDHS_SHARED_DATA")
	if shared == "" {
		t.Skip("SPIKEDHS_SHARED_DATA names no folder of real recordings")
	}
	archive := filepath.Join(shared, "event_samples.tar.xz")
	if _, err := os.Stat(archive); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xJf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Skipf("tar: %v: %s", err, out)
	}
	return filepath.Join(dir, "event_samples")
}

// numpy runs a script in a Python that has NumPy, and returns the folder it ran in.
func numpy(t *testing.T, script string) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import numpy").Run() != nil {
			continue
		}
		command := exec.Command(name, "-c", script)
		command.Dir = t.TempDir()
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return command.Dir
	}
	t.Skip("no Python with NumPy on this machine")
	return ""
}
