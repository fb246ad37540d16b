package genotype

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// documentRoot stands for the whole document in errors.
const documentRoot = "document"

// readDocument checks that data is one JSON value in UTF-8 and nothing else.
func readDocument(data []byte) (json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, invalid(documentRoot, "not valid UTF-8; save the file as UTF-8")
	}
	var raw json.RawMessage
	var syntax *json.SyntaxError
	err := json.Unmarshal(data, &raw)
	if errors.As(err, &syntax) {
		return nil, invalid(documentRoot, "not JSON at byte %d: %v; correct it there", syntax.Offset, syntax)
	}
	return raw, err
}

// readStrict decodes raw, a part of a document that was read, into v, made of structs,
// slices, strings and integers with json tags. It refuses what encoding/json lets pass: a key twice, in another case,
// unknown or missing (unless its tag has omitempty), null. Faults name their JSON path.
func readStrict(where string, raw json.RawMessage, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Struct:
		return readObject(where, raw, v, true)
	case reflect.Slice:
		if err := expect(where, raw, '['); err != nil {
			return err
		}
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return invalid(where, "%v; correct the JSON", err)
		}
		for i, item := range items { // an empty list is none
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			if err := readStrict(element(where, i), item, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return readStrict(where, raw, v.Elem())
	}
	kind := byte('0')
	if v.Kind() == reflect.String {
		kind = '"'
	}
	if err := expect(where, raw, kind); err != nil {
		return err
	}
	if json.Unmarshal(raw, v.Addr().Interface()) != nil {
		return invalid(where, "%.20q is not a whole number; write one such as 1", raw)
	}
	return nil
}

// readObject decodes the fields of a struct; whole tells that there are no others.
func readObject(where string, raw json.RawMessage, v reflect.Value, whole bool) error {
	values, err := objectValues(where, raw)
	if err != nil {
		return err
	}
	var known []string
	fields, optional := map[string]reflect.Value{}, map[string]bool{}
	for _, f := range reflect.VisibleFields(v.Type()) {
		if name, options, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			known, fields[name], optional[name] = append(known, name), v.FieldByIndex(f.Index), options == "omitempty"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if whole && !slices.Contains(known, name) {
			return invalid(at(where, name), "unknown field; remove it, known are %s", strings.Join(known, ", "))
		}
	}
	for _, name := range known {
		value, ok := values[name]
		switch {
		case !ok && optional[name]:
			continue
		case !ok:
			return invalid(at(where, name), "missing; add it")
		}
		if err := readStrict(at(where, name), value, fields[name]); err != nil {
			return err
		}
	}
	return nil
}

// objectValues are the values of an object by key, of which none may be there twice.
func objectValues(where string, raw json.RawMessage) (map[string]json.RawMessage, error) {
	if err := expect(where, raw, '{'); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, err := dec.Token() // the brace
	values := map[string]json.RawMessage{}
	for err == nil && dec.More() {
		var key json.Token
		var value json.RawMessage
		if key, err = dec.Token(); err == nil {
			err = dec.Decode(&value)
		}
		name := fmt.Sprint(key)
		if _, twice := values[name]; twice {
			return nil, invalid(at(where, name), "given twice; remove one")
		}
		values[name] = value
	}
	if err != nil {
		return nil, invalid(where, "%v; correct the JSON", err)
	}
	return values, nil
}

// at returns the JSON path of a field. Keys come from the file, so one that is not a
// plain word is quoted to keep the message on one line.
func at(where, name string) string {
	plain := func(r rune) bool {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		name = strconv.Quote(name)
	}
	if where == documentRoot {
		return name
	}
	return where + "." + name
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
