package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"
)

// Field is one value of a record, made by [F] or [Wall].
type Field struct {
	key   string
	value any
	wall  bool
}

// F is a value that depends on configuration and seed alone.
//
// Values are booleans, numbers, strings, lists of these, and whatever
// [json.Marshal] takes. NaN and the infinities become null.
func F(key string, value any) Field { return Field{key: key, value: value} }

// Wall is a value that depends on the clock or the machine, such as a rate; it goes
// into the object "wall" at the end of the record.
func Wall(key string, value any) Field { return Field{key: key, value: value, wall: true} }

// The keys of a record that are not the caller's.
const (
	kindKey = "kind"
	wallKey = "wall"
)

// appendRecord appends a record with its line end: the kind, the fields in the
// order given, and at the end the wall fields in an object of their own.
func appendRecord(line []byte, kind string, fields []Field) ([]byte, error) {
	taken := map[string]bool{kindKey: true, wallKey: true}
	line = appendString(append(line, `{"kind":`...), kind)
	for _, wall := range []bool{false, true} {
		if wall {
			line = append(line, `,"wall":{`...)
			clear(taken)
		}
		first := wall
		for _, f := range fields {
			if f.wall != wall {
				continue
			}
			if taken[f.key] {
				return nil, fmt.Errorf("metrics: record %q has the key %q twice", kind, f.key)
			}
			taken[f.key] = true
			if !first {
				line = append(line, ',')
			}
			first = false
			var err error
			line = append(appendString(line, f.key), ':')
			if line, err = appendValue(line, reflect.ValueOf(f.value)); err != nil {
				return nil, fmt.Errorf("metrics: record %q, key %q: %w", kind, f.key, err)
			}
		}
	}
	return append(line, "}}\n"...), nil
}

// appendValue appends a value as JSON. Floats are the shortest text that reads back
// as the same number.
func appendValue(line []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Float64:
		return appendFloat(line, v.Float(), 64), nil
	case reflect.Float32:
		return appendFloat(line, v.Float(), 32), nil
	case reflect.String:
		return appendString(line, v.String()), nil
	case reflect.Slice, reflect.Array:
		if kind := v.Type().Elem().Kind(); kind != reflect.Uint8 && !v.Type().Implements(marshaler) {
			return appendList(line, v)
		}
	case reflect.Interface:
		return appendValue(line, v.Elem())
	case reflect.Invalid:
		return append(line, "null"...), nil
	}
	text, err := json.Marshal(v.Interface())
	return append(line, text...), err
}

var marshaler = reflect.TypeFor[json.Marshaler]()

func appendList(line []byte, v reflect.Value) ([]byte, error) {
	line = append(line, '[')
	for i := range v.Len() {
		if i > 0 {
			line = append(line, ',')
		}
		var err error
		if line, err = appendValue(line, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return append(line, ']'), nil
}

func appendFloat(line []byte, x float64, bits int) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(line, "null"...)
	}
	return strconv.AppendFloat(line, x, 'g', -1, bits)
}

func appendString(line []byte, s string) []byte {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // a string into memory: cannot fail
	return append(line, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
}

// Record is one line of a metrics file.
type Record struct {
	// Kind is what the record is about, such as "epoch".
	Kind string
	// Fields are the values that depend on configuration and seed alone.
	Fields Values
	// Wall are the values that depend on the clock or the machine.
	Wall Values
}

// Values are the JSON values of a record by key.
type Values map[string]json.RawMessage

// Float returns a number; null, which stands for NaN and the infinities, is NaN.
// It is false if there is no such key or it holds no number.
func (v Values) Float(key string) (float64, bool) {
	x := math.NaN()
	ok := v.Decode(key, &x) == nil // null leaves x as it is
	return x, ok
}

// Int returns a whole number, false if there is no such key or it holds none.
func (v Values) Int(key string) (int64, bool) {
	var n *int64
	if v.Decode(key, &n) != nil || n == nil {
		return 0, false
	}
	return *n, true
}

// Text returns a string, false if there is no such key or it holds none.
func (v Values) Text(key string) (string, bool) {
	var s *string
	if v.Decode(key, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// Decode unmarshals the value of a key.
func (v Values) Decode(key string, into any) error {
	value, ok := v[key]
	if !ok {
		return fmt.Errorf("the record has no %q", key)
	}
	return json.Unmarshal(value, into)
}

// ReadMetrics reads a metrics file. A torn last line, which a crash leaves behind or
// a running process is just writing, is no error and no record.
func ReadMetrics(path string) ([]Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var records []Record
	for line := range bytes.Lines(text[:wholeLines(text)]) {
		record, err := parseRecord(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: not a record: %w", path, len(records)+1, err)
		}
		records = append(records, record)
	}
	return records, nil
}

// wholeLines returns the length of text without a torn last line.
func wholeLines(text []byte) int { return bytes.LastIndexByte(text, '\n') + 1 }

func parseRecord(line []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(line, &r.Fields); err != nil {
		return Record{}, err
	}
	if err := r.Fields.Decode(kindKey, &r.Kind); err != nil {
		return Record{}, err
	}
	if err := r.Fields.Decode(wallKey, &r.Wall); err != nil {
		return Record{}, err
	}
	delete(r.Fields, kindKey)
	delete(r.Fields, wallKey)
	return r, nil
}
