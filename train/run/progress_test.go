package run

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
