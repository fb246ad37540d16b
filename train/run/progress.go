package run

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Progress shows how far a phase, such as an epoch, has come: on a terminal a bar
// that is drawn over itself, anywhere else one line at the end of each phase.
//
//	p := run.NewProgress(os.Stderr)
//	p.Start("train 3/30", "images", 60000, 0)
//	p.Add(50, "loss 0.412") // for each batch
//	p.End("loss 0.398, top1 86.1 %")
//
// Progress is itself an [io.Writer]: log lines written through it do not tear the
// bar. It may be used from several goroutines.
type Progress struct {
	// Terminal chooses the bar. [NewProgress] finds it out.
	Terminal bool
	// Width returns the columns of the terminal.
	Width func() int
	// Now is the clock.
	Now func() time.Time

	mu      sync.Mutex
	out     io.Writer
	phase   phase
	running bool
	drawn   time.Time // when the bar was last drawn
	columns int       // how many columns it took
}

// redraw is how often a bar is drawn at most.
const redraw = 100 * time.Millisecond

// NewProgress returns a Progress that writes to w, usually os.Stderr. It shows a bar
// if w is a terminal.
func NewProgress(w io.Writer) *Progress {
	return &Progress{
		Terminal: terminalWidth(w) > 0,
		Width:    func() int { return terminalWidth(w) },
		Now:      time.Now,
		out:      w,
	}
}

// terminalWidth returns the columns of the terminal that w is, 0 if it is none or one
// that cannot draw over a line.
func terminalWidth(w io.Writer) int {
	if file, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" {
		return columnsOfFile(file)
	}
	return 0
}

// IsTerminal reports whether a file is a terminal that a person sits at.
func IsTerminal(file *os.File) bool { return terminalWidth(file) > 0 }

// Start begins a phase of total units, of which done were done before, as in an
// epoch that is resumed in its middle.
func (p *Progress) Start(label, unit string, total, done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	p.phase = phase{label: label, unit: unit, total: total, before: done, done: done, start: now}
	p.running = true
	p.draw(now)
}

// Add counts n more units and shows note, if it is not empty, beside the bar.
func (p *Progress) Add(n int, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase.done += n
	if note != "" {
		p.phase.note = note
	}
	if now := p.Now(); now.Sub(p.drawn) >= redraw {
		p.draw(now)
	}
}

// End ends the phase with a line that stays: what was done, how fast, and summary.
func (p *Progress) End(summary string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running {
		return
	}
	p.running = false
	p.erase()
	fmt.Fprintln(p.out, p.phase.ended(p.Now(), summary))
}

// Stop ends the phase without a line, as when the run is interrupted.
func (p *Progress) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = false
	p.erase()
}

// Write writes text above the bar. The text should be whole lines.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	n, err := p.out.Write(text)
	p.draw(p.Now())
	return n, err
}

// draw draws the bar, on a terminal while a phase is running. Errors of the output
// are no reason to end a run, here and elsewhere in this file.
func (p *Progress) draw(now time.Time) {
	if !p.Terminal || !p.running {
		return
	}
	bar := p.phase.bar(now, max(p.Width()-1, 0)) // the last column would wrap the line
	columns := columnsOf(bar)
	fmt.Fprintf(p.out, "\r%s%*s", bar, max(p.columns-columns, 0), "")
	p.drawn, p.columns = now, columns
}

// erase takes the bar off the line.
func (p *Progress) erase() {
	if p.columns > 0 {
		fmt.Fprintf(p.out, "\r%*s\r", p.columns, "")
		p.columns = 0
	}
}

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
