package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

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
