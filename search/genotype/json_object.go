package genotype

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object read strictly: no key twice, keys match by case, and
// every fault names its JSON path. encoding/json alone does none of these.
type object struct {
	where  string
	fields map[string]json.RawMessage
}

func readObject(where string, raw json.RawMessage) (object, error) {
	o := object{where: where, fields: map[string]json.RawMessage{}}
	if err := expect(where, raw, '{'); err != nil {
		return o, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return o, invalid(where, "%v; correct the JSON", err)
	}
	for dec.More() {
		var value json.RawMessage
		key, err := dec.Token()
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil {
			return o, invalid(where, "%v; correct the JSON", err)
		}
		name := fmt.Sprint(key)
		if _, twice := o.fields[name]; twice {
			return o, invalid(o.at(name), "given twice; remove one")
		}
		o.fields[name] = value
	}
	return o, nil
}

// only rejects every key that is not among the known ones.
func (o object) only(known ...string) error {
	var unknown []string
	for name := range o.fields {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return invalid(o.at(slices.Min(unknown)), "unknown field; remove it, known are %s", strings.Join(known, ", "))
}

func (o object) has(name string) bool {
	_, ok := o.fields[name]
	return ok
}

func (o object) value(name string) (json.RawMessage, error) {
	raw, ok := o.fields[name]
	if !ok {
		return nil, invalid(o.at(name), "missing; add it")
	}
	return raw, nil
}

func (o object) text(name string) (string, error) {
	raw, err := o.value(name)
	if err != nil {
		return "", err
	}
	return readText(o.at(name), raw)
}

func (o object) integer(name string) (int, error) {
	raw, err := o.value(name)
	if err != nil {
		return 0, err
	}
	return readInteger(o.at(name), raw)
}

func (o object) array(name string) ([]json.RawMessage, error) {
	raw, err := o.value(name)
	if err != nil {
		return nil, err
	}
	if err := expect(o.at(name), raw, '['); err != nil {
		return nil, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, invalid(o.at(name), "%v; correct the JSON", err)
	}
	return items, nil
}

// at returns the JSON path of a field. Keys come from the file, so one that
// is not a plain word is quoted to keep the message on one line.
func (o object) at(name string) string {
	plain := func(r rune) bool {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		name = strconv.Quote(name)
	}
	if o.where == documentRoot {
		return name
	}
	return o.where + "." + name
}

// items reads every element of an array field.
func items[T any](o object, name string, read func(where string, raw json.RawMessage) (T, error)) ([]T, error) {
	raws, err := o.array(name)
	if err != nil {
		return nil, err
	}
	var list []T
	for i, raw := range raws {
		item, err := read(element(o.at(name), i), raw)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}

func readText(where string, raw json.RawMessage) (string, error) {
	if err := expect(where, raw, '"'); err != nil {
		return "", err
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", invalid(where, "%v; correct the JSON", err)
	}
	return s, nil
}

func readInteger(where string, raw json.RawMessage) (int, error) {
	if err := expect(where, raw, '0'); err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil {
		return 0, invalid(where, "%.20q is not a whole number; write one such as 1", raw)
	}
	return n, nil
}

// kinds names JSON values by their first byte; '0' stands for all numbers.
var kinds = map[byte]string{
	'{': "an object", '[': "an array", '"': "a string", '0': "a number", 't': "true", 'f': "false", 'n': "null",
}

func expect(where string, raw json.RawMessage, kind byte) error {
	found := raw[0]
	if found == '-' || '0' <= found && found <= '9' {
		found = '0'
	}
	if found != kind {
		return invalid(where, "found %s; write %s", kinds[found], kinds[kind])
	}
	return nil
}
