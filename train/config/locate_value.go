package config

import "strings"

// value moves over the value of key and notes the keys of inline tables in it.
func (s *scanner) value(key []string) {
	if !s.more() {
		return
	}
	switch c := s.peek(); c {
	case '"', '\'':
		delimiter := strings.Repeat(string(c), 3)
		if !strings.HasPrefix(s.text[s.pos:], delimiter) {
			delimiter = delimiter[:1]
		}
		s.quoted(delimiter)
	case '[':
		s.list(']', func() { s.value(key) })
	case '{':
		s.list('}', func() { s.pair(key) })
	default:
		s.until(",]}#\r\n")
	}
}

// list moves over a bracketed list whose elements are read by element.
func (s *scanner) list(end byte, element func()) {
	s.advance(1)
	for {
		s.skip(" \t\r\n,")
		if !s.more() {
			return
		}
		if s.peek() == end {
			s.advance(1)
			return
		}
		before := s.pos
		element()
		if s.pos == before {
			s.advance(len(s.text)) // not TOML: a stray bracket
		}
	}
}

// quoted moves over a string between two delimiters: one quote, or three for a
// string of many lines.
func (s *scanner) quoted(delimiter string) {
	s.advance(len(delimiter))
	for s.more() && !strings.HasPrefix(s.text[s.pos:], delimiter) {
		if s.peek() == '\\' && delimiter[0] == '"' {
			s.advance(1)
		}
		s.advance(1)
	}
	s.advance(len(delimiter))
	if len(delimiter) == 3 { // up to two quotes may stand before the closing three
		for range 2 {
			if s.more() && s.peek() == delimiter[0] {
				s.advance(1)
			}
		}
	}
}
