package run

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// phase is the state of what [Progress] shows, and its texts.
type phase struct {
	label  string
	unit   string
	total  int
	before int // done before this process began to count
	done   int
	start  time.Time
	note   string
}

// rate is units a second, 0 as long as it is unknown.
func (p phase) rate(now time.Time) float64 {
	elapsed := now.Sub(p.start).Seconds()
	if elapsed <= 0 {
		return 0
	}
	return float64(p.done-p.before) / elapsed
}

// bar returns a line of at most width columns, as in
//
//	train 3/30 [=======>       ] 30000/60000 35.2 images/s ETA 14:12 loss 0.412
func (p phase) bar(now time.Time, width int) string {
	rate := p.rate(now)
	tail := fmt.Sprintf("%d/%d %s %s/s", p.done, p.total, number(rate), p.unit)
	if rate > 0 && p.done < p.total {
		left := float64(p.total-p.done) / rate
		tail += " ETA " + clock(time.Duration(left*float64(time.Second)))
	}
	if p.note != "" {
		tail += " " + p.note
	}
	const narrowest, widest = 5, 30
	columns := min(width-columnsOf(p.label)-columnsOf(tail)-len(" [] "), widest)
	if columns < narrowest {
		return cut(p.label+" "+tail, width)
	}
	return p.label + " [" + arrow(p.done, p.total, columns) + "] " + tail
}

// ended returns the line that stays when the phase is over, as in
//
//	train 3/30: 60000 images in 28:24, 35.2 images/s, loss 0.398
func (p phase) ended(now time.Time, summary string) string {
	line := fmt.Sprintf("%s: %d %s in %s, %s %s/s", p.label, p.done, p.unit, clock(now.Sub(p.start)), number(p.rate(now)), p.unit)
	if summary != "" {
		line += ", " + summary
	}
	return line
}

// arrow draws the share done of total in width columns.
func arrow(done, total, width int) string {
	filled := width
	if total > 0 {
		filled = min(max(done, 0)*width/total, width)
	}
	if filled == width {
		return strings.Repeat("=", width)
	}
	return strings.Repeat("=", filled) + ">" + strings.Repeat(" ", width-filled-1)
}

// number writes a rate with three digits or more.
func number(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// clock writes a duration as m:ss or h:mm:ss.
func clock(d time.Duration) string {
	seconds := int64(d.Round(time.Second) / time.Second)
	if seconds >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// defaultColumns is the width of a terminal that does not say it.
const defaultColumns = 80

// columnsOf counts the columns of text, one for each character.
func columnsOf(text string) int { return utf8.RuneCountInString(text) }

// cut shortens text to width columns.
func cut(text string, width int) string {
	if columnsOf(text) <= width {
		return text
	}
	return string([]rune(text)[:width])
}
