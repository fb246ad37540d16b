package pth

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrPickle is the cause of an error about a pickle that is damaged or uses what weights
// do not need.
var ErrPickle = errors.New("not a pickle of weights")

// Values of a pickle are nil, bool, int64, float64, string, []byte, list, tuple, *Dict,
// global, persistent and object.
type (
	list  struct{ items []any }
	tuple []any
	// global is a class or function by its name.
	global string
	// persistent is an object that lies outside the pickle: a storage.
	persistent struct{ id any }
	// object is what a call would have made.
	object struct {
		of        global
		arguments tuple
	}
	mark struct{}
)

// Dict is a dictionary in its order. Keys are strings or numbers.
type Dict struct {
	Keys   []any
	Values []any
}

// Get is the value of a key that is a string; nil without one.
func (d *Dict) Get(key string) any {
	if i := slices.Index(d.Keys, any(key)); i >= 0 {
		return d.Values[i]
	}
	return nil
}

func (d *Dict) set(key, value any) error {
	switch key.(type) {
	case string, int64, bool, float64:
	default:
		return fmt.Errorf("a key of type %T", key)
	}
	d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
	return nil
}

// Limits of what a pickle may hold, far above those of any network.
const (
	deepest = 1 << 20 // values on the stack
	most    = 1 << 22 // values that are remembered
)

// machine is the stack machine that a pickle is a program for.
type machine struct {
	text  []byte
	at    int
	stack []any
	memo  map[uint64]any
}

// unpickle gives the value of a pickle of protocols 2 to 5.
func unpickle(text []byte) (value any, err error) {
	m := &machine{text: text, memo: map[uint64]any{}}
	for {
		at := m.at
		code, err := m.byte()
		if err == nil {
			if code == '.' {
				value, err := m.pop()
				if err != nil {
					return nil, fmt.Errorf("pth: %w: byte %d: %w", ErrPickle, at, err)
				}
				return value, nil
			}
			err = m.do(code)
		}
		if err == nil && (len(m.stack) > deepest || len(m.memo) > most) {
			err = errors.New("too many values")
		}
		if err != nil {
			return nil, fmt.Errorf("pth: %w: byte %d: %w", ErrPickle, at, err)
		}
	}
}

var errEnd = errors.New("it ends early")

// take is the next n bytes.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.text)-m.at) {
		return nil, errEnd
	}
	part := m.text[m.at : m.at+int(n)]
	m.at += int(n)
	return part, nil
}

func (m *machine) byte() (byte, error) {
	b, err := m.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// number is an unsigned number of so many bytes.
func (m *machine) number(bytes int) (uint64, error) {
	b, err := m.take(uint64(bytes))
	if err != nil {
		return 0, err
	}
	var whole [8]byte
	copy(whole[:], b)
	return binary.LittleEndian.Uint64(whole[:]), nil
}

// sized is what follows a length of so many bytes.
func (m *machine) sized(bytes int) ([]byte, error) {
	n, err := m.number(bytes)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// line is the rest of a line.
func (m *machine) line() (string, error) {
	end := slices.Index(m.text[m.at:], '\n')
	if end < 0 {
		return "", errEnd
	}
	part, err := m.take(uint64(end) + 1)
	return string(part[:max(len(part)-1, 0)]), err
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errors.New("its stack is empty")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// pops takes the last n values, in their order.
func (m *machine) pops(n int) ([]any, error) {
	if len(m.stack) < n {
		return nil, errors.New("its stack is empty")
	}
	part := slices.Clone(m.stack[len(m.stack)-n:])
	m.stack = m.stack[:len(m.stack)-n]
	if slices.Contains(part, any(mark{})) {
		return nil, errors.New("a mark where a value should be")
	}
	return part, nil
}

// marked takes all values behind the last mark, and the mark.
func (m *machine) marked() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			part := slices.Clone(m.stack[i+1:])
			m.stack = m.stack[:i]
			return part, nil
		}
	}
	return nil, errors.New("no mark")
}

// remember keeps the last value under a number.
func (m *machine) remember(n uint64) error {
	if len(m.stack) == 0 {
		return errors.New("its stack is empty")
	}
	m.memo[n] = m.stack[len(m.stack)-1]
	return nil
}

// signed is a number of n bytes, the first the lowest.
func signed(b []byte) (int64, error) {
	if len(b) > 8 {
		return 0, errors.New("a number of more than 64 bits")
	}
	if len(b) == 0 {
		return 0, nil
	}
	var whole [8]byte
	copy(whole[:], b)
	n := int64(binary.LittleEndian.Uint64(whole[:]))
	shift := 64 - 8*len(b)
	return n << shift >> shift, nil
}

// fixed are the instructions that push a value.
var fixed = map[byte]func() any{
	'N': func() any { return nil }, 0x88: func() any { return true }, 0x89: func() any { return false },
	'(': func() any { return mark{} }, ')': func() any { return tuple{} }, ']': func() any { return &list{} }, '}': func() any { return &Dict{} },
}

// texts are the instructions with a string or bytes behind a length of so many bytes.
var texts = map[byte]int{'X': 4, 0x8c: 1, 0x8d: 8, 'U': 1, 'T': 4, 'B': 4, 'C': 1, 0x8e: 8}

// numbers are the instructions with an integer of so many bytes.
var numbers = map[byte]int{'K': 1, 'M': 2, 'J': 4}

// do carries out an instruction; the names are those of Python's pickletools.
func (m *machine) do(code byte) error {
	if make, ok := fixed[code]; ok {
		m.push(make())
		return nil
	}
	if bytes, ok := texts[code]; ok {
		part, err := m.sized(bytes)
		if code == 'B' || code == 'C' || code == 0x8e {
			m.push(slices.Clone(part))
		} else {
			m.push(string(part))
		}
		return err
	}
	if bytes, ok := numbers[code]; ok {
		n, err := m.number(bytes)
		if code == 'J' {
			n = uint64(int64(int32(n)))
		}
		m.push(int64(n))
		return err
	}
	switch code {
	case 0x80: // PROTO
		version, err := m.byte()
		if err == nil && (version < 2 || version > 5) {
			return fmt.Errorf("protocol %d; 2 to 5 are read", version)
		}
		return err
	case 0x95: // FRAME
		_, err := m.number(8)
		return err
	case 'G': // BINFLOAT
		b, err := m.take(8)
		if err == nil {
			m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
		return err
	case 0x8a: // LONG1
		b, err := m.sized(1)
		if err != nil {
			return err
		}
		n, err := signed(b)
		m.push(n)
		return err
	case 'q', 'r': // BINPUT, LONG_BINPUT
		n, err := m.number(map[byte]int{'q': 1, 'r': 4}[code])
		if err != nil {
			return err
		}
		return m.remember(n)
	case 0x94: // MEMOIZE
		return m.remember(uint64(len(m.memo)))
	case 'h', 'j': // BINGET, LONG_BINGET
		n, err := m.number(map[byte]int{'h': 1, 'j': 4}[code])
		if err != nil {
			return err
		}
		v, ok := m.memo[n]
		if !ok {
			return fmt.Errorf("value %d is not known", n)
		}
		m.push(v)
		return nil
	case '0': // POP
		_, err := m.pop()
		return err
	case 'c': // GLOBAL
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		m.push(global(module + "." + name))
		return err
	case 0x93: // STACK_GLOBAL
		part, err := m.pops(2)
		if err != nil {
			return err
		}
		m.push(global(fmt.Sprint(part[0], ".", part[1])))
		return nil
	}
	return m.build(code)
}

// build carries out the instructions that make values of others.
func (m *machine) build(code byte) error {
	switch code {
	case 't': // TUPLE
		part, err := m.marked()
		m.push(tuple(part))
		return err
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		part, err := m.pops(int(code) - 0x84)
		m.push(tuple(part))
		return err
	case 'l', 'd': // LIST, DICT
		part, err := m.marked()
		if err != nil {
			return err
		}
		if code == 'l' {
			m.push(&list{part})
			return nil
		}
		m.push(&Dict{})
		return m.items(part)
	case 'a', 'e': // APPEND, APPENDS
		part, err := m.group(code == 'e', 1)
		if err != nil {
			return err
		}
		if to, ok := m.top().(*list); ok {
			to.items = append(to.items, part...)
		}
		return nil // what an unknown object gets is not needed
	case 's', 'u': // SETITEM, SETITEMS
		part, err := m.group(code == 'u', 2)
		if err != nil {
			return err
		}
		return m.items(part)
	case 'b': // BUILD: attributes of an object
		_, err := m.pop()
		return err
	case 'R', 0x81: // REDUCE, NEWOBJ: calls
		part, err := m.pops(2)
		if err != nil {
			return err
		}
		of, _ := part[0].(global)
		arguments, ok := part[1].(tuple)
		if !ok {
			return errors.New("a call without arguments")
		}
		if of == "collections.OrderedDict" {
			m.push(&Dict{})
			return nil
		}
		m.push(&object{of, arguments})
		return nil
	case 'Q': // BINPERSID
		id, err := m.pop()
		m.push(persistent{id})
		return err
	case 0x8f: // EMPTY_SET
		m.push(&list{})
		return nil
	case 0x90: // ADDITEMS
		_, err := m.marked()
		return err
	}
	return fmt.Errorf("instruction %#x is not known", code)
}

// group is what is added to the value below it: all behind the mark, or the last n.
func (m *machine) group(all bool, n int) ([]any, error) {
	if all {
		return m.marked()
	}
	return m.pops(n)
}

// top is the last value, which stays.
func (m *machine) top() any {
	if len(m.stack) == 0 {
		return nil
	}
	return m.stack[len(m.stack)-1]
}

// items sets keys and values of the dictionary on top.
func (m *machine) items(part []any) error {
	if len(part)%2 != 0 {
		return errors.New("a key without a value")
	}
	to, ok := m.top().(*Dict)
	if !ok {
		return nil
	}
	for i := 0; i < len(part); i += 2 {
		if err := to.set(part[i], part[i+1]); err != nil {
			return err
		}
	}
	return nil
}
