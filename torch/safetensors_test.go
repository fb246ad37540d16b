package torch

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// samples are tensors of every supported type and of unusual shapes.
func samples(s *Scope) []Variable {
	return []Variable{
		{Name: "zz first", Value: FromSlice(s, []float32{1, -2.5, float32(math.Inf(1))}, 3)},
		{Name: `with "quotes" <&> ü`, Value: FromSlice(s, []float64{math.Pi, -1e300}, 2, 1)},
		{Name: "long", Value: FromSlice(s, []int64{math.MinInt64, 5}, 2)},
		{Name: "int", Value: FromSlice(s, []int32{-9}, 1, 1, 1)},
		{Name: "byte", Value: FromSlice(s, []uint8{0, 255, 7}, 3)},
		{Name: "scalar", Value: FromSlice(s, []float32{4})},
		{Name: "empty", Value: FromSlice(s, []float32{}, 0, 3)},
		{Name: "transposed", Value: s.Tensor("aten::t", FromSlice(s, []float32{1, 2, 3, 4, 5, 6}, 2, 3))},
	}
}

var sampleMetadata = map[string]string{"format": "pt", "note": "a \"b\"\n"}

func sampleFile(t testing.TB) []byte {
	s := NewInference()
	defer s.Close()
	var file bytes.Buffer
	require.NoError(t, WriteSafetensors(&file, samples(s), sampleMetadata))
	require.NoError(t, s.Err())
	return file.Bytes()
}

func TestSafetensorsRoundTrip(t *testing.T) {
	assertLive(t)
	s := NewInference()
	defer s.Close()
	// A reader that gives one byte at a time is still a reader.
	tensors, metadata, err := ReadSafetensors(s, iotest.OneByteReader(bytes.NewReader(sampleFile(t))))
	require.NoError(t, err)
	assert.Equal(t, sampleMetadata, metadata)
	list := samples(s)
	require.Len(t, tensors, len(list))
	for _, want := range list {
		got := tensors[want.Name]
		wantType, err := Dtype(want.Value)
		require.NoError(t, err)
		gotType, err := Dtype(got)
		require.NoError(t, err)
		assert.Equal(t, wantType, gotType, want.Name)
		assert.Equal(t, read(t, want.Value), read(t, got), want.Name)
	}
	long, err := ToSlice[int64](tensors["long"]) // not representable in float64 comparisons
	require.NoError(t, err)
	assert.Equal(t, []int64{math.MinInt64, 5}, long)
}

func TestSafetensorsBytesAreReproducible(t *testing.T) {
	first := sampleFile(t)
	for range 5 {
		assert.Equal(t, first, sampleFile(t))
	}
}

// The file as the format's specification describes it, byte by byte.
func TestSafetensorsLayout(t *testing.T) {
	file := sampleFile(t)
	length := binary.LittleEndian.Uint64(file)
	assert.Zero(t, length%8, "the data is aligned")
	header, data := file[8:8+length], file[8+length:]
	assert.Equal(t, byte('{'), header[0])
	var entries map[string]map[string]any
	require.NoError(t, json.Unmarshal(header, &entries))
	assert.Equal(t, map[string]any{"format": "pt", "note": "a \"b\"\n"}, entries["__metadata__"])
	entry := func(dtype string, begin, end int, shape ...any) map[string]any {
		return map[string]any{
			"dtype": dtype, "shape": append([]any{}, shape...), "data_offsets": []any{float64(begin), float64(end)},
		}
	}
	assert.Equal(t, entry("F32", 0, 12, 3.0), entries["zz first"])
	assert.Equal(t, entry("F64", 12, 28, 2.0, 1.0), entries[`with "quotes" <&> ü`])
	assert.Equal(t, entry("I64", 28, 44, 2.0), entries["long"])
	assert.Equal(t, entry("I32", 44, 48, 1.0, 1.0, 1.0), entries["int"])
	assert.Equal(t, entry("U8", 48, 51, 3.0), entries["byte"])
	assert.Equal(t, entry("F32", 51, 55), entries["scalar"])
	assert.Equal(t, entry("F32", 55, 55, 0.0, 3.0), entries["empty"])
	assert.Equal(t, entry("F32", 55, 79, 3.0, 2.0), entries["transposed"])
	assert.Len(t, entries, 9)

	require.Len(t, data, 79)
	assert.Equal(t, float32(-2.5), math.Float32frombits(binary.LittleEndian.Uint32(data[4:])))
	assert.Equal(t, math.Pi, math.Float64frombits(binary.LittleEndian.Uint64(data[12:])))
	assert.Equal(t, uint64(1)<<63, binary.LittleEndian.Uint64(data[28:]))
	assert.Equal(t, []byte{0, 255, 7}, data[48:51])
	assert.Equal(t, float32(4), math.Float32frombits(binary.LittleEndian.Uint32(data[59:])), "C order")
}

func TestSafetensorsWithoutTensors(t *testing.T) {
	var file bytes.Buffer
	require.NoError(t, WriteSafetensors(&file, nil, nil))
	s := NewInference()
	defer s.Close()
	tensors, metadata, err := ReadSafetensors(s, &file)
	require.NoError(t, err)
	assert.Empty(t, tensors)
	assert.Empty(t, metadata)
}

func TestSafetensorsThatCannotBeWritten(t *testing.T) {
	s := NewInference()
	defer s.Close()
	x := s.Zeros(CPU(), 2)
	for text, list := range map[string][]Variable{
		"write safetensors w: element type bfloat16 is not supported": {{Name: "w", Value: s.Cast(x, BFloat16)}},
		"write safetensors w: torch: shape: tensor is empty":          {{Name: "w"}},
		"write safetensors: two tensors are named w":                  {{Name: "w", Value: x}, {Name: "w", Value: x}},
		"write safetensors: no tensor can be named __metadata__":      {{Name: "__metadata__", Value: x}},
	} {
		var file bytes.Buffer
		assert.ErrorContains(t, WriteSafetensors(&file, list, nil), text)
		assert.Zero(t, file.Len(), "nothing is written before everything is checked")
	}
	broken := iotest.ErrReader(errors.New("disk on fire"))
	assert.ErrorContains(t, WriteSafetensors(failingWriter{}, []Variable{{Name: "w", Value: x}}, nil), "disk full")
	_, _, err := ReadSafetensors(s, broken)
	require.ErrorContains(t, err, "disk on fire")
	assert.NotErrorIs(t, err, ErrSafetensors, "a failing disk is not a damaged file")
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// frame puts the length in front of a header, and data behind it.
func frame(header string, data int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, data)...)
}

func TestDamagedSafetensors(t *testing.T) {
	whole := sampleFile(t)
	one := func(entry string) string { return `{"w":` + entry + `}` }
	for name, file := range map[string][]byte{
		"empty file":             {},
		"short length":           whole[:5],
		"header cut":             whole[:60],
		"data cut":               whole[:len(whole)-1],
		"no data":                frame(one(`{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`), 0),
		"trailing bytes":         append(append([]byte{}, whole...), 0),
		"huge header":            append([]byte{255, 255, 255, 255, 255, 255, 255, 127}, whole[8:]...),
		"negative header":        append([]byte{255, 255, 255, 255, 255, 255, 255, 255}, whole[8:]...),
		"no JSON":                frame(`{"w":`, 0),
		"JSON of another kind":   frame(`[1, 2]`, 0),
		"JSON null":              frame(`null`, 0),
		"entry of another kind":  frame(one(`7`), 0),
		"entry null":             frame(one(`null`), 0),
		"metadata of numbers":    frame(`{"__metadata__":{"a":1}}`, 0),
		"unknown type":           frame(one(`{"dtype":"F13","shape":[1],"data_offsets":[0,4]}`), 4),
		"no type":                frame(one(`{"shape":[1],"data_offsets":[0,4]}`), 4),
		"no shape":               frame(one(`{"dtype":"F32","data_offsets":[0,4]}`), 4),
		"no offsets":             frame(one(`{"dtype":"F32","shape":[0]}`), 0),
		"one offset":             frame(one(`{"dtype":"F32","shape":[0],"data_offsets":[0]}`), 0),
		"three offsets":          frame(one(`{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}`), 4),
		"negative size":          frame(one(`{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}`), 4),
		"fraction":               frame(one(`{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}`), 6),
		"too many bytes":         frame(one(`{"dtype":"F32","shape":[1],"data_offsets":[0,8]}`), 8),
		"too few bytes":          frame(one(`{"dtype":"F32","shape":[3],"data_offsets":[0,8]}`), 8),
		"size overflows":         frame(one(`{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}`), 0),
		"strides overflow":       frame(one(`{"dtype":"F32","shape":[0,4611686018427387904,4611686018427387904],"data_offsets":[0,0]}`), 0),
		"offsets overflow":       frame(one(`{"dtype":"U8","shape":[9223372036854775803],"data_offsets":[5,-9223372036854775808]}`), 8),
		"negative offset":        frame(one(`{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}`), 4),
		"huge tensor":            frame(one(`{"dtype":"U8","shape":[1000000000000],"data_offsets":[0,1000000000000]}`), 8),
		"hole before a tensor":   frame(one(`{"dtype":"F32","shape":[1],"data_offsets":[4,8]}`), 8),
		"offset beyond the data": frame(one(`{"dtype":"F32","shape":[1],"data_offsets":[4,8]}`), 4),
		"tensors over each other": frame(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},`+
			`"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8),
		"too many dimensions": frame(one(`{"dtype":"F32","shape":[1`+strings.Repeat(",1", 8)+`],"data_offsets":[0,4]}`), 4),
	} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			s := NewInference()
			defer s.Close()
			tensors, _, err := ReadSafetensors(s, bytes.NewReader(file))
			require.ErrorIs(t, err, ErrSafetensors)
			assert.NotContains(t, err.Error(), "\n")
			assert.Nil(t, tensors)
		})
	}
}

// Each way to cut a file short is noticed.
func TestSafetensorsCutAnywhere(t *testing.T) {
	whole := sampleFile(t)
	s := NewInference()
	defer s.Close()
	for n := range whole {
		_, _, err := ReadSafetensors(s, bytes.NewReader(whole[:n]))
		require.ErrorIs(t, err, ErrSafetensors, "cut to %d bytes", n)
	}
}

// Whatever the bytes are: an error that names the damage, or tensors that can
// be written and read again.
func FuzzReadSafetensors(f *testing.F) {
	f.Add(sampleFile(f))
	f.Add(frame(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Add(frame(`{"w":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"__metadata__":{"a":"b"}}`, 1))
	f.Add(frame(`{"w":{"dtype":"I64","shape":[0,9223372036854775807],"data_offsets":[0,0]}}`, 0))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s := NewInference()
		defer s.Close()
		tensors, metadata, err := ReadSafetensors(s, bytes.NewReader(file))
		if err != nil {
			require.ErrorIs(t, err, ErrSafetensors)
			return
		}
		var list []Variable
		for name, x := range tensors {
			list = append(list, Variable{Name: name, Value: x})
		}
		var again bytes.Buffer
		require.NoError(t, WriteSafetensors(&again, list, metadata))
		back, _, err := ReadSafetensors(s, &again)
		require.NoError(t, err)
		require.Len(t, back, len(tensors))
		for name, x := range tensors {
			want, err := Shape(x)
			require.NoError(t, err)
			have, err := Shape(back[name])
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(want), fmt.Sprint(have))
		}
	})
}
