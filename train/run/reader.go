package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
)

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
