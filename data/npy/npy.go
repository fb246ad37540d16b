package npy

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

// ErrFormat marks content that is not a readable .npy file of numbers.
var ErrFormat = errors.New("bad NumPy file")

// ErrRecords marks an array of records, which [ReadRecords] alone reads.
var ErrRecords = fmt.Errorf("%w: structured types are not read here; save plain numbers", ErrFormat)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

// Array is the content of a file, not yet converted.
type Array struct {
	// Shape are the lengths of the axes; an empty shape is a single number.
	Shape []int

	dtype   number.Type
	fortran bool
	data    []byte
}

// Len is the number of elements.
func (a *Array) Len() int { return len(a.data) / a.dtype.Size }

// Read reads one array, to its end and no further. Errors wrap [ErrFormat] or are
// those of r.
func Read(r io.Reader) (*Array, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	if h.fields != nil {
		return nil, ErrRecords
	}
	t, err := parseDType(h.descr)
	if err != nil {
		return nil, err
	}
	n, err := h.elements(t.Size)
	if err != nil {
		return nil, err
	}
	data, err := readBytes(r, n*t.Size, "data")
	if err != nil {
		return nil, err
	}
	return &Array{Shape: h.shape, dtype: t, fortran: h.fortran, data: data}, nil
}

// ReadFile reads the array in the file at path, which must hold nothing else. Errors
// name the file.
func ReadFile(path string) (*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := ReadWhole(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// ReadWhole is [Read] of a file that must hold nothing else.
func ReadWhole(r io.Reader) (*Array, error) {
	a, err := Read(r)
	if err != nil {
		return nil, err
	}
	return a, expectEnd(r)
}

func expectEnd(r io.Reader) error {
	n, err := io.ReadFull(r, make([]byte, 1))
	switch {
	case n > 0:
		return malformed("more bytes than its shape tells; save one array a file")
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// ReadRecords reads a list of records of plain numbers, an array of one axis and a
// structured type, from a file that holds nothing else: the names of their fields, and
// the numbers of one record after the other. Errors wrap [ErrFormat] or are those of r.
func ReadRecords(r io.Reader) (fields []string, rows []float64, err error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, nil, err
	}
	if len(h.fields) == 0 || len(h.shape) != 1 {
		return nil, nil, malformed("no list of records: an array of shape %v with %d fields", h.shape, len(h.fields))
	}
	types, size := make([]number.Type, len(h.fields)), 0
	for i, f := range h.fields {
		if types[i], err = parseDType(f.descr); err != nil {
			return nil, nil, err
		}
		fields, size = append(fields, f.name), size+types[i].Size
	}
	n, err := h.elements(size)
	if err != nil {
		return nil, nil, err
	}
	data, err := readBytes(r, n*size, "data")
	if err == nil {
		err = expectEnd(r)
	}
	if err != nil {
		return nil, nil, err
	}
	rows = make([]float64, 0, n*len(types))
	for len(data) > 0 {
		for _, t := range types {
			rows = append(rows, number.Decode[float64](t, data))
			data = data[t.Size:]
		}
	}
	return fields, rows, nil
}

// Values are the elements of a in C order (last axis fastest), converted to T as Go
// converts numbers.
func Values[T Number](a *Array) []T {
	n := a.Len()
	values := make([]T, n)
	if !a.fortran || len(a.Shape) < 2 {
		for i := range values {
			values[i] = number.Decode[T](a.dtype, a.data[i*a.dtype.Size:])
		}
		return values
	}
	// Element k of the file is at index[] with the first axis fastest.
	index := make([]int, len(a.Shape))
	for k := range n {
		at := 0
		for axis, i := range index {
			at = at*a.Shape[axis] + i
		}
		values[at] = number.Decode[T](a.dtype, a.data[k*a.dtype.Size:])
		for axis := range index {
			if index[axis]++; index[axis] < a.Shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return values
}

// growth is how many characters NumPy reserves for the length of the first axis.
const growth = 21

// Write writes values, in C order, as an array of the given shape, like numpy.save
// does. It fails if the shape does not hold len(values) elements.
func Write[T Number](w io.Writer, shape []int, values []T) error {
	n := 1
	for _, d := range shape {
		n *= d
	}
	if n != len(values) {
		return fmt.Errorf("npy: shape %v has %d elements, %d are given", shape, n, len(values))
	}
	b, err := formatHeader(descrOf[T](), shape)
	if err != nil {
		return err
	}
	if b, err = binary.Append(b, binary.LittleEndian, values); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	_, err = w.Write(b)
	return err
}

// WriteFile writes an array to the file at path, see [Write].
func WriteFile[T Number](path string, shape []int, values []T) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := Write(f, shape, values); err != nil {
		_ = f.Close()
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Close()
}

// ReadZip reads the named arrays of the .npz archive at path, as numpy.savez and
// numpy.savez_compressed write it.
func ReadZip(path string, names ...string) (map[string]*Array, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		if file := (*fs.PathError)(nil); errors.As(err, &file) {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w: %w; give a file written by numpy.savez", path, ErrFormat, err)
	}
	defer z.Close()
	members := map[string]*zip.File{}
	for _, f := range z.File {
		if name, ok := strings.CutSuffix(f.Name, ".npy"); ok {
			members[name] = f
		}
	}
	arrays := map[string]*Array{}
	for _, name := range names {
		f := members[name]
		if f == nil {
			return nil, fmt.Errorf("%s: %w: it has no array %q", path, ErrFormat, name)
		}
		a, err := readMember(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		arrays[name] = a
	}
	return arrays, nil
}

// readMember reads an array of an archive to the end, where its checksum is compared.
func readMember(f *zip.File) (*Array, error) {
	r, err := f.Open()
	if err != nil {
		return nil, malformed("%v", err)
	}
	defer r.Close()
	a, err := ReadWhole(r)
	if err != nil && !errors.Is(err, ErrFormat) {
		err = malformed("%v", err)
	}
	return a, err
}
