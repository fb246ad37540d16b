package config

import "strings"

// keyLines returns the line on which each key of a TOML document stands first, by
// canonical name: tables, dotted keys with all their prefixes, and keys inside
// inline tables. The document must be one that the parser accepts; of any other
// the result is incomplete.
func keyLines(document string) map[string]int {
	s := scanner{text: strings.TrimPrefix(document, "\ufeff"), line: 1, lines: map[string]int{}}
	var table []string
	for s.skip(" \t\r\n"); s.more(); s.skip(" \t\r\n") {
		if s.peek() != '[' {
			s.pair(table)
			continue
		}
		s.skip("[")
		table = s.key(nil)
		s.skip("] \t")
	}
	return s.lines
}

// scanner walks through a TOML document and keeps count of the lines.
type scanner struct {
	text  string
	pos   int
	line  int // of pos
	lines map[string]int
}

func (s *scanner) more() bool { return s.pos < len(s.text) }

func (s *scanner) peek() byte { return s.text[s.pos] }

// advance moves forward by n bytes, or to the end.
func (s *scanner) advance(n int) {
	end := min(s.pos+n, len(s.text))
	s.line += strings.Count(s.text[s.pos:end], "\n")
	s.pos = end
}

// skip moves over the bytes of the set and, if newlines are among them, comments.
func (s *scanner) skip(set string) {
	comments := strings.Contains(set, "\n")
	for s.more() {
		switch c := s.peek(); {
		case strings.IndexByte(set, c) >= 0:
			s.advance(1)
		case comments && c == '#':
			s.until("\r\n")
		default:
			return
		}
	}
}

// until moves to the first byte of the set, or to the end.
func (s *scanner) until(set string) {
	n := strings.IndexAny(s.text[s.pos:], set)
	if n < 0 {
		n = len(s.text)
	}
	s.advance(n)
}

// key reads a dotted key below prefix, notes its line and returns the whole of it.
func (s *scanner) key(prefix []string) []string {
	whole := append([]string(nil), prefix...)
	for s.more() {
		s.skip(" \t")
		line := s.line
		whole = append(whole, s.keyPart())
		if name := canonical(whole...); s.lines[name] == 0 {
			s.lines[name] = line
		}
		s.skip(" \t")
		if !s.more() || s.peek() != '.' {
			break
		}
		s.advance(1)
	}
	return whole
}

// keyPart reads one part of a dotted key, bare or quoted.
func (s *scanner) keyPart() string {
	start := s.pos
	if s.more() && (s.peek() == '"' || s.peek() == '\'') {
		s.quoted(s.text[start : start+1])
		tree, _ := parse("v = " + s.text[start:s.pos])
		part, _ := tree["v"].(string)
		return part
	}
	s.until(" \t.=]\r\n")
	return s.text[start:s.pos]
}

// pair reads a key and its value below prefix.
func (s *scanner) pair(prefix []string) {
	key := s.key(prefix)
	if !s.more() || s.peek() != '=' {
		s.advance(len(s.text)) // not TOML: there is nothing to find any more
		return
	}
	s.advance(1)
	s.skip(" \t")
	s.value(key)
}
