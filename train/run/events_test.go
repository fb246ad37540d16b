package run

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
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

// screen is a Progress on a clock that the test moves.
type screen struct {
	*Progress
	out *bytes.Buffer
	at  time.Time
}

func newScreen(terminal bool, width int) *screen {
	s := &screen{out: new(bytes.Buffer), at: time.Unix(1000, 0)}
	s.Progress = NewProgress(s.out)
	s.Terminal = terminal
	s.Width = func() int { return width }
	s.Now = func() time.Time { return s.at }
	return s
}

func (s *screen) pass(d time.Duration) { s.at = s.at.Add(d) }

// shown replays the output as a terminal would: lines, each as it looks in the end.
func (s *screen) shown() []string {
	var lines []string
	for _, line := range strings.Split(s.out.String(), "\n") {
		var row []rune
		for _, stroke := range strings.Split(line, "\r") {
			for i, r := range []rune(stroke) {
				if i < len(row) {
					row[i] = r
				} else {
					row = append(row, r)
				}
			}
		}
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return lines
}

func TestProgressOnATerminal(t *testing.T) {
	s := newScreen(true, 100)
	s.Start("train 3/30", "images", 4000, 0)
	s.pass(10 * time.Second)
	s.Add(1000, "loss 0.412")
	assert.Equal(t, []string{"train 3/30 [=======>                      ] 1000/4000 100 images/s ETA 0:30 loss 0.412"}, s.shown())
	s.pass(30 * time.Second)
	s.Add(3000, "")
	assert.Equal(t, []string{"train 3/30 [==============================] 4000/4000 100 images/s loss 0.412"}, s.shown())
	s.End("loss 0.398")
	s.Start("test 3/30", "images", 100, 0)
	s.Stop()
	assert.Equal(t, []string{"train 3/30: 4000 images in 0:40, 100 images/s, loss 0.398", ""}, s.shown())
}

func TestProgressElsewhere(t *testing.T) {
	s := newScreen(false, 100)
	for epoch := range 2 {
		s.Start(fmt.Sprintf("train %d/2", epoch+1), "images", 4000, 0)
		for range 40 {
			s.pass(time.Second)
			s.Add(100, "loss 0.4")
		}
		s.End("loss 0.398")
		s.End("again")
	}
	assert.Equal(t, "train 1/2: 4000 images in 0:40, 100 images/s, loss 0.398\n"+
		"train 2/2: 4000 images in 0:40, 100 images/s, loss 0.398\n", s.out.String())
	s.Start("train 3/3", "images", 1, 0)
	before := s.out.Len()
	s.Stop()
	s.End("")
	assert.Equal(t, before, s.out.Len(), "a stopped phase has no line")
}

func TestProgressNeverWrapsTheLine(t *testing.T) {
	for width := range 120 {
		s := newScreen(true, width)
		s.Start("süchen 1/50", "images", 60000, 0)
		for range 5 {
			s.pass(time.Minute)
			s.Add(12000, "loss 0.412 äöü")
			for _, stroke := range strings.Split(s.out.String(), "\r") {
				require.LessOrEqual(t, columnsOf(stroke), max(width-1, 0))
			}
		}
	}
}

func TestProgressOfAResumedPhase(t *testing.T) {
	s := newScreen(true, 100)
	s.Start("train", "images", 4000, 3000)
	s.pass(10 * time.Second)
	s.Add(100, "")
	assert.Contains(t, s.shown()[0], "3100/4000 10.0 images/s ETA 1:30", "what was done before counts for the share, not for the rate")
}

func TestProgressDrawsAtMostTenTimesASecond(t *testing.T) {
	s := newScreen(true, 100)
	s.Start("train", "images", 1000, 0)
	for range 1000 {
		s.pass(time.Millisecond)
		s.Add(1, "")
	}
	assert.Equal(t, 11, strings.Count(s.out.String(), "\r"))
}

func TestProgressLetsLogLinesThrough(t *testing.T) {
	s := newScreen(true, 60)
	s.Start("train", "images", 10, 0)
	s.pass(time.Second)
	s.Add(5, "")
	n, err := s.Write([]byte("checkpoint saved\n"))
	require.NoError(t, err)
	assert.Equal(t, 17, n)
	assert.Equal(t, []string{"checkpoint saved", "train [===========>           ] 5/10 5.00 images/s ETA 0:01"}, s.shown())

	plain := newScreen(false, 60)
	slog.New(slog.NewTextHandler(plain, nil)).Info("saved")
	assert.Contains(t, plain.out.String(), "msg=saved")
	assert.NotContains(t, plain.out.String(), "\r")
}

func TestProgressOfNothing(t *testing.T) {
	s := newScreen(true, 80)
	s.Start("test", "images", 0, 0)
	s.End("")
	assert.Equal(t, []string{"test: 0 images in 0:00, 0.00 images/s", ""}, s.shown())
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0:00", 59600 * time.Millisecond: "1:00", 61 * time.Second: "1:01", time.Hour: "1:00:00", 27*time.Hour + 5*time.Minute + time.Second: "27:05:01",
	} {
		assert.Equal(t, want, clock(d))
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	assert.False(t, NewProgress(file).Terminal)
	assert.False(t, NewProgress(new(bytes.Buffer)).Terminal)
	require.NoError(t, file.Close())
}
