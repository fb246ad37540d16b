package torch

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
)

// The safetensors format (huggingface.co/docs/safetensors): a little-endian
// uint64 with the header's length, the header as JSON (name -> dtype, shape,
// byte range; "__metadata__" -> strings), then the raw bytes.

// ErrSafetensors is the cause of an error about a damaged safetensors file.
var ErrSafetensors = errors.New("not a valid safetensors file")

// A header larger than this is taken for damage.
const maxSafetensorsHeader = 64 << 20

const metadataName = "__metadata__"

type safetensorsEntry struct {
	Dtype   string  `json:"dtype"`
	Shape   []int64 `json:"shape"`
	Offsets []int64 `json:"data_offsets"` // begin and end
}

// safetensorsType is an element type: its name in a header, libtorch's number, the
// size of one element, and how tensors of it are written and read.
type safetensorsType struct {
	name  string
	dtype int8
	bytes int64
	write func(io.Writer, Tensor) error
	read  func(*Scope, []byte, []int64) Tensor
}

var safetensorsTypes = []safetensorsType{
	typeNamed[float32]("F32"), typeNamed[float64]("F64"), typeNamed[int64]("I64"), typeNamed[int32]("I32"),
	typeNamed[uint8]("U8"),
}

func typeNamed[E Element](name string) safetensorsType {
	bytes := int64(reflect.TypeFor[E]().Size())
	return safetensorsType{name, dtypeOf[E](), bytes, writeSlice[E], fromBytes[E]}
}

// WriteSafetensors writes tensors in the given order, and metadata. The same
// input gives the same bytes.
func WriteSafetensors(w io.Writer, tensors []Variable, metadata map[string]string) error {
	var header strings.Builder
	header.WriteByte('{')
	if len(metadata) > 0 {
		text, _ := json.Marshal(metadata) // keys come sorted; strings and numbers always can be
		header.WriteString(`"` + metadataName + `":` + string(text))
	}
	var offset int64
	written := map[string]bool{}
	var types []safetensorsType
	for _, t := range tensors {
		if t.Name == metadataName {
			return fmt.Errorf("torch: write safetensors: no tensor can be named %s", metadataName)
		}
		if written[t.Name] {
			return fmt.Errorf("torch: write safetensors: two tensors are named %s", t.Name)
		}
		written[t.Name] = true
		kind, entry, err := entryOf(t, offset)
		if err != nil {
			return fmt.Errorf("torch: write safetensors %s: %w", t.Name, err)
		}
		types, offset = append(types, kind), entry.Offsets[1]
		text, _ := json.Marshal(entry)
		name, _ := json.Marshal(t.Name)
		if header.Len() > 1 {
			header.WriteByte(',')
		}
		header.WriteString(string(name) + ":" + string(text))
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 { // data starts aligned
		header.WriteByte(' ')
	}
	out := bufio.NewWriterSize(w, 1<<20)
	out.Write(binary.LittleEndian.AppendUint64(nil, uint64(header.Len())))
	out.WriteString(header.String())
	for i, t := range tensors {
		if err := types[i].write(out, t.Value); err != nil {
			return fmt.Errorf("torch: write safetensors %s: %w", t.Name, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("torch: write safetensors: %w", err)
	}
	return nil
}

// entryOf is the entry of a tensor whose bytes begin at offset, and its type.
func entryOf(t Variable, offset int64) (safetensorsType, safetensorsEntry, error) {
	shape, err := Shape(t.Value)
	if err != nil {
		return safetensorsType{}, safetensorsEntry{}, err
	}
	dtype, err := Dtype(t.Value)
	if err != nil {
		return safetensorsType{}, safetensorsEntry{}, err
	}
	if shape == nil {
		shape = []int64{}
	}
	for _, known := range safetensorsTypes {
		if known.dtype == dtype {
			offsets := []int64{offset, offset + known.bytes*elementsOf(shape)}
			return known, safetensorsEntry{Dtype: known.name, Shape: shape, Offsets: offsets}, nil
		}
	}
	return safetensorsType{}, safetensorsEntry{}, fmt.Errorf("element type %s is not supported", dtypeName(dtype))
}

func writeSlice[E Element](w io.Writer, t Tensor) error {
	values, err := ToSlice[E](t)
	if err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, values)
}

// ReadSafetensors reads a whole file; the tensors are on the CPU and belong to
// s. Damage gives an error with the cause [ErrSafetensors].
func ReadSafetensors(s *Scope, r io.Reader) (map[string]Tensor, map[string]string, error) {
	tensors, metadata, err := readSafetensors(s, r)
	if err != nil {
		return nil, nil, fmt.Errorf("torch: read safetensors: %w", err)
	}
	return tensors, metadata, nil
}

func readSafetensors(s *Scope, r io.Reader) (map[string]Tensor, map[string]string, error) {
	entries, metadata, err := readHeader(r)
	if err != nil {
		return nil, nil, err
	}
	tensors := map[string]Tensor{}
	var position int64
	for _, e := range entries {
		if e.Offsets[0] != position {
			return nil, nil, fmt.Errorf("tensor %s starts at byte %d, expected %d: %w", e.name, e.Offsets[0], position, ErrSafetensors)
		}
		position = e.Offsets[1]
		data, err := io.ReadAll(io.LimitReader(r, e.Offsets[1]-e.Offsets[0]))
		if err != nil {
			return nil, nil, err
		}
		if int64(len(data)) != e.Offsets[1]-e.Offsets[0] {
			return nil, nil, fmt.Errorf("tensor %s is cut short: %w", e.name, ErrSafetensors)
		}
		tensors[e.name] = e.kind.read(s, data, e.Shape)
		if err := s.Err(); err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", e.name, err)
		}
	}
	if n, _ := r.Read(make([]byte, 1)); n > 0 {
		return nil, nil, fmt.Errorf("bytes after the last tensor: %w", ErrSafetensors)
	}
	return tensors, metadata, nil
}

type namedEntry struct {
	safetensorsEntry
	name string
	kind safetensorsType
}

// readHeader parses and checks the header; entries come in file order.
func readHeader(r io.Reader) ([]namedEntry, map[string]string, error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, fmt.Errorf("no header: %w", ErrSafetensors)
	} else if err != nil {
		return nil, nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxSafetensorsHeader {
		return nil, nil, fmt.Errorf("header of %d bytes: %w", n, ErrSafetensors)
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return nil, nil, err
	}
	if uint64(len(text)) != n {
		return nil, nil, fmt.Errorf("header is cut short: %w", ErrSafetensors)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, nil, fmt.Errorf("header: %v: %w", err, ErrSafetensors)
	}
	if raw == nil { // JSON null
		return nil, nil, fmt.Errorf("header is no JSON object: %w", ErrSafetensors)
	}
	metadata := map[string]string{}
	var entries []namedEntry
	for name, value := range raw {
		if name == metadataName {
			if err := json.Unmarshal(value, &metadata); err != nil {
				return nil, nil, fmt.Errorf("metadata: %v: %w", err, ErrSafetensors)
			}
			continue
		}
		e := namedEntry{name: name}
		if err := json.Unmarshal(value, &e.safetensorsEntry); err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %v: %w", name, err, ErrSafetensors)
		}
		if err := e.check(); err != nil {
			return nil, nil, err
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b namedEntry) int {
		return cmp.Or(slices.Compare(a.Offsets, b.Offsets), cmp.Compare(a.name, b.name))
	})
	return entries, metadata, nil
}

// check compares the byte range with shape and type.
func (e *namedEntry) check() error {
	if e.Shape == nil || len(e.Offsets) != 2 || len(e.Shape) > maxDimensions {
		return fmt.Errorf("tensor %s has shape %v and byte range %v: %w", e.name, e.Shape, e.Offsets, ErrSafetensors)
	}
	for _, known := range safetensorsTypes {
		if known.name != e.Dtype {
			continue
		}
		e.kind = known
		bytes, span := known.bytes, known.bytes // span: without sizes of 0, as strides are
		for _, n := range e.Shape {
			if n < 0 || span > math.MaxInt64/max(n, 1) {
				return fmt.Errorf("tensor %s has shape %v: %w", e.name, e.Shape, ErrSafetensors)
			}
			bytes *= n
			span *= max(n, 1)
		}
		if e.Offsets[0] < 0 || e.Offsets[1]-e.Offsets[0] != bytes {
			return fmt.Errorf("tensor %s of shape %v has byte range %v: %w", e.name, e.Shape, e.Offsets, ErrSafetensors)
		}
		return nil
	}
	return fmt.Errorf("tensor %s has element type %q: %w", e.name, e.Dtype, ErrSafetensors)
}

func fromBytes[E Element](s *Scope, data []byte, shape []int64) Tensor {
	values := make([]E, elementsOf(shape))
	if _, err := binary.Decode(data, binary.LittleEndian, values); err != nil {
		return s.fail(err)
	}
	return FromSlice(s, values, shape...)
}
