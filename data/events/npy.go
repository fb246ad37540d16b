package events

import (
	"bytes"
	"encoding/binary"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// field is a number at a place of each record of an .npy file.
type field struct {
	name   string // "" in plain arrays
	offset int
	size   int
	kind   byte // of NumPy: f, i, u, b
	order  binary.ByteOrder
}

// value reads the field of a record.
func (f field) value(record []byte) float64 {
	b := record[f.offset : f.offset+f.size]
	var bits uint64
	switch f.size {
	case 1:
		bits = uint64(b[0])
	case 2:
		bits = uint64(f.order.Uint16(b))
	case 4:
		bits = uint64(f.order.Uint32(b))
	default:
		bits = f.order.Uint64(b)
	}
	switch {
	case f.kind == 'f' && f.size == 4:
		return float64(math.Float32frombits(uint32(bits)))
	case f.kind == 'f':
		return math.Float64frombits(bits)
	case f.kind == 'i':
		shift := 64 - 8*f.size
		return float64(int64(bits<<shift) >> shift)
	}
	return float64(bits)
}

func init() {
	Register(".npy", decodeNPY)
}

// decodeNPY reads an array of N rows of four numbers, or N records with the
// fields x, y, t and p (or timestamp, polarity). The format is that of NumPy's
// documentation: magic, version, length of the header, the header as a literal of
// Python, the numbers.
func decodeNPY(content []byte, o Options) (*Recording, error) {
	header, body, err := npyHeader(content)
	if err != nil {
		return nil, err
	}
	shape, fortran, err := npyShape(header)
	if err != nil {
		return nil, err
	}
	fields, size, err := npyFields(header)
	if err != nil {
		return nil, err
	}
	plain := fields[0].name == ""
	if plain && (len(shape) != 2 || shape[1] != 4) || !plain && len(shape) != 1 {
		return nil, malformed("an array of shape %v; want N rows of 4 numbers, or N records", shape)
	}
	count := shape[0]
	record := size
	if plain {
		record = 4 * size
	}
	if count > len(body) || count*record != len(body) {
		return nil, malformed("%d bytes behind the header, want %d events of %d bytes", len(body), count, record)
	}
	rows := make([]float64, 0, 4*count)
	if plain {
		f := fields[0]
		for n := range count {
			for k := range 4 {
				at := 4*n + k
				if fortran {
					at = k*count + n
				}
				rows = append(rows, f.value(body[at*size:]))
			}
		}
	} else {
		o.Columns = "xytp"
		for n := range count {
			for _, f := range fields {
				rows = append(rows, f.value(body[n*size:]))
			}
		}
	}
	for i, v := range rows {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, malformed("event %d has a number that is not finite", i/4)
		}
	}
	return fromRows(rows, o)
}

func npyHeader(content []byte) (header string, body []byte, err error) {
	const magic = "\x93NUMPY"
	if !bytes.HasPrefix(content, []byte(magic)) || len(content) < 12 {
		return "", nil, malformed("does not begin as an .npy file")
	}
	length, start := int(binary.LittleEndian.Uint16(content[8:])), 10
	switch version := content[6]; version {
	case 1:
	case 2, 3:
		length, start = int(binary.LittleEndian.Uint32(content[8:])), 12
	default:
		return "", nil, malformed("version %d of .npy; 1 to 3 are read", version)
	}
	if length > len(content)-start || length < 0 {
		return "", nil, malformed("truncated: a header of %d bytes in a file of %d", length, len(content))
	}
	return string(content[start : start+length]), content[start+length:], nil
}

var (
	npyShapePattern   = regexp.MustCompile(`'shape'\s*:\s*\(([0-9,\s]*)\)`)
	npyFortranPattern = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	npyPlainPattern   = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	npyRecordPattern  = regexp.MustCompile(`(?s)'descr'\s*:\s*\[(.*?)\]`)
	npyFieldPattern   = regexp.MustCompile(`\(\s*'([^']*)'\s*,\s*'([^']*)'\s*\)`)
	npyTypePattern    = regexp.MustCompile(`^([<>|=]?)([fiub])([1248])$`)
)

func npyShape(header string) (shape []int, fortran bool, err error) {
	found, order := npyShapePattern.FindStringSubmatch(header), npyFortranPattern.FindStringSubmatch(header)
	if found == nil || order == nil {
		return nil, false, malformed("the header names no shape or order: %.80q", header)
	}
	for part := range strings.SplitSeq(found[1], ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n > sizeLimit {
			return nil, false, malformed("an axis of %.30q", part)
		}
		shape = append(shape, n)
	}
	return shape, order[1] == "True", nil
}

// npyFields are the numbers of a record in the order x, y, t, p, or the one
// number of a plain array; size is the bytes of a record or number.
func npyFields(header string) (fields []field, size int, err error) {
	if found := npyPlainPattern.FindStringSubmatch(header); found != nil {
		f, err := npyType(found[1])
		return []field{f}, f.size, err
	}
	record := npyRecordPattern.FindStringSubmatch(header)
	if record == nil {
		return nil, 0, malformed("the header names no type: %.80q", header)
	}
	named := make([]field, 4)
	for _, found := range npyFieldPattern.FindAllStringSubmatch(record[1], -1) {
		f, err := npyType(found[2])
		if err != nil {
			return nil, 0, err
		}
		f.name, f.offset = strings.ToLower(found[1]), size
		size += f.size
		place := slices.IndexFunc([][]string{{"x"}, {"y"}, {"t", "ts", "timestamp", "time"}, {"p", "polarity", "pol"}},
			func(names []string) bool { return slices.Contains(names, f.name) })
		if place >= 0 {
			named[place] = f
		}
	}
	for i, name := range []string{"x", "y", "t", "p"} {
		if named[i].size == 0 {
			return nil, 0, malformed("records without a field %s: %.80q", name, record[1])
		}
	}
	return named, size, nil
}

func npyType(text string) (field, error) {
	found := npyTypePattern.FindStringSubmatch(text)
	if text == "?" || text == "|b1" {
		return field{size: 1, kind: 'u', order: binary.LittleEndian}, nil
	}
	if found == nil || found[2] == "b" || found[2] == "f" && found[3] < "4" {
		return field{}, malformed("numbers of the type %.20q are not read", text)
	}
	f := field{size: int(found[3][0] - '0'), kind: found[2][0], order: binary.LittleEndian}
	if found[1] == ">" {
		f.order = binary.BigEndian
	}
	return f, nil
}
