package genotype

import (
	"encoding/binary"
	"io"
)

const (
	npyMagic = "\x93NUMPY"
	// maxNPYHeader is the limit that NumPy itself puts on headers it trusts.
	maxNPYHeader = 10_000
)

// npyHeader describes the array in an .npy file.
type npyHeader struct {
	descr   string
	fortran bool
	shape   []int
}

func readNPYHeader(r io.Reader) (npyHeader, error) {
	size, err := readNPYPreamble(r)
	if err != nil {
		return npyHeader{}, err
	}
	if size > maxNPYHeader {
		return npyHeader{}, invalid("npy header", "claims more than %d bytes; save the array again with numpy.save", maxNPYHeader)
	}
	text, err := readPart(r, size, "header")
	if err != nil {
		return npyHeader{}, err
	}
	return parseNPYHeader(string(text))
}

// readNPYPreamble reads magic string and version and returns the length of the
// header, cut to just above the limit so that it fits any int. Version 1 stores it in two bytes, versions 2 and 3 in four; the text
// of version 3 is UTF-8, which makes no difference to a plain array.
func readNPYPreamble(r io.Reader) (int, error) {
	start, err := readPart(r, len(npyMagic)+2, "magic")
	if err != nil {
		return 0, err
	}
	if string(start[:len(npyMagic)]) != npyMagic {
		return 0, invalid("npy magic", "not a NumPy file; give a file written by numpy.save")
	}
	switch major := start[len(npyMagic)]; major {
	case 1:
		b, err := readPart(r, 2, "header length")
		if err != nil {
			return 0, err
		}
		return int(binary.LittleEndian.Uint16(b)), nil
	case 2, 3:
		b, err := readPart(r, 4, "header length")
		if err != nil {
			return 0, err
		}
		return int(min(binary.LittleEndian.Uint32(b), maxNPYHeader+1)), nil
	default:
		return 0, invalid("npy version", "%d is unknown, versions 1 to 3 are read; save the array again with numpy.save", major)
	}
}

// parseNPYHeader reads the Python dictionary of a header, such as
// {'descr': '<i8', 'fortran_order': False, 'shape': (6, 2), }.
func parseNPYHeader(text string) (npyHeader, error) {
	var h npyHeader
	p := literal{rest: text}
	seen := map[string]bool{}
	p.expect('{')
	for !p.accept('}') {
		key := p.quoted()
		p.expect(':')
		if p.err == nil && seen[key] {
			p.fail("key %q twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			h.descr = p.quoted()
		case "fortran_order":
			h.fortran = p.boolean()
		case "shape":
			h.shape = p.tuple()
		default:
			p.fail("unknown key %q", key)
		}
		if !p.accept(',') {
			p.expect('}')
			break
		}
	}
	p.end()
	if p.err == nil && len(seen) != 3 {
		p.fail("descr, fortran_order or shape is missing")
	}
	if p.err != nil {
		return npyHeader{}, invalid("npy header", "%v; save the array again with numpy.save", p.err)
	}
	return h, nil
}
