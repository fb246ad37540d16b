package npy

import (
	"fmt"
	"strconv"
	"strings"
)

// literal scans the part of Python's literal syntax that headers use. The first fault
// stays in err, and everything after it reads as empty.
type literal struct {
	rest string
	err  error
}

func (p *literal) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.rest = ""
}

func (p *literal) skipSpace() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// accept reports whether the next token is c, and consumes it. After a fault it
// accepts everything, so that loops end.
func (p *literal) accept(c byte) bool {
	if p.err != nil {
		return true
	}
	p.skipSpace()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *literal) expect(c byte) {
	if !p.accept(c) {
		p.fail("expected %q at %.20q", c, p.rest)
	}
}

// list reads items with commas between them in brackets.
func (p *literal) list(open, end byte, item func()) {
	p.expect(open)
	for !p.accept(end) {
		item()
		if !p.accept(',') {
			p.expect(end)
			return
		}
	}
}

// quoted reads a string without escapes.
func (p *literal) quoted() string {
	p.skipSpace()
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		p.fail("expected a string at %.20q", p.rest)
		return ""
	}
	text, rest, closed := strings.Cut(p.rest[1:], p.rest[:1])
	if !closed || strings.Contains(text, `\`) {
		p.fail("malformed string at %.20q", p.rest)
		return ""
	}
	p.rest = rest
	return text
}

// fields reads the type of records, such as [('x', '<i2'), ('t', '<i8')]; nil where
// another literal stands.
func (p *literal) fields() []field {
	p.skipSpace()
	if p.err != nil || p.rest == "" || p.rest[0] != '[' {
		return nil
	}
	fields := []field{}
	p.list('[', ']', func() {
		p.expect('(')
		name := p.quoted()
		p.expect(',')
		fields = append(fields, field{name, p.quoted()})
		if !p.accept(')') {
			p.fail("expected ')' at %.20q (fields are plain numbers)", p.rest)
		}
	})
	return fields
}

func (p *literal) boolean() bool {
	p.skipSpace()
	for i, word := range []string{"False", "True"} {
		if rest, ok := strings.CutPrefix(p.rest, word); ok {
			p.rest = rest
			return i == 1
		}
	}
	p.fail("expected True or False at %.20q", p.rest)
	return false
}

// tuple reads a tuple of whole numbers such as (6, 2), (6,) or ().
func (p *literal) tuple() []int {
	numbers := []int{}
	p.list('(', ')', func() { numbers = append(numbers, p.number()) })
	return numbers
}

// number reads a whole number; Python 2 wrote a trailing L.
func (p *literal) number() int {
	p.skipSpace()
	digits := p.rest[:len(p.rest)-len(strings.TrimLeft(p.rest, "0123456789"))]
	n, err := strconv.Atoi(digits)
	if err != nil {
		p.fail("expected a whole number at %.20q", p.rest)
		return 0
	}
	p.rest = strings.TrimPrefix(p.rest[len(digits):], "L")
	return n
}

func (p *literal) end() {
	p.skipSpace()
	if p.err == nil && p.rest != "" {
		p.fail("unexpected %.20q", p.rest)
	}
}

// formatTuple writes a shape as Python prints it.
func formatTuple(shape []int) string {
	if len(shape) == 1 {
		return fmt.Sprintf("(%d,)", shape[0])
	}
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = strconv.Itoa(d)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
