package npy

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

// Number are the types that arrays convert to and from.
type Number interface{ number.Number }

// parseDType reads a type string such as "<i8".
func parseDType(descr string) (number.Type, error) {
	if strings.HasSuffix(descr, "O") {
		return number.Type{}, malformed("type %q holds Python objects, which are not read for safety; save plain numbers", descr)
	}
	bad := malformed("type %q is not a plain number; save the array as float64 or int64", descr)
	if len(descr) != 3 {
		return number.Type{}, bad
	}
	t := number.Type{Kind: descr[1], Size: int(descr[2] - '0')}
	switch {
	case descr[0] == '<' || descr[0] == '|' && t.Size == 1:
		t.Order = binary.LittleEndian
	case descr[0] == '>':
		t.Order = binary.BigEndian
	default:
		return number.Type{}, bad
	}
	switch descr[1:] {
	case "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8":
		return t, nil
	case "b1": // booleans are bytes 0 and 1
		t.Kind = 'u'
		return t, nil
	}
	return number.Type{}, bad
}

// descrOf is the type string that a []T is written with.
func descrOf[T Number]() string {
	order, t := "<", reflect.TypeFor[T]()
	if t.Size() == 1 {
		order = "|"
	}
	return fmt.Sprintf("%s%c%d", order, t.String()[0], t.Size())
}
