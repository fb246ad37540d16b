package genotype

import (
	"errors"
	"fmt"
	"io"
)

// ReadNPY reads a cell from a NumPy .npy file as the SpikeDHS code publishes it:
// an integer array of shape (2n, 2) with rows [edge, op]. Any plain integer or
// floating type, byte order and memory order is read. Rows need not be grouped
// by node; see NewCell. Faults wrap ErrInvalid.
func ReadNPY(r io.Reader) (Cell, error) {
	header, err := readNPYHeader(r)
	if err != nil {
		return Cell{}, err
	}
	dtype, err := parseDType(header.descr)
	if err != nil {
		return Cell{}, err
	}
	n, err := header.rows()
	if err != nil {
		return Cell{}, err
	}
	data, err := readPart(r, n*2*dtype.size, "data")
	if err != nil {
		return Cell{}, err
	}
	if err := expectEnd(r); err != nil {
		return Cell{}, err
	}
	rows := make([][2]int, n)
	for i := range rows {
		for j := range rows[i] {
			k := i*2 + j
			if header.fortran {
				k = j*n + i
			}
			rows[i][j], err = dtype.integer(data[k*dtype.size:][:dtype.size])
			if err != nil {
				return Cell{}, invalid(fmt.Sprintf("npy[%d][%d]", i, j), "%v; save whole numbers", err)
			}
		}
	}
	return NewCell(rows)
}

// rows checks the shape before anything is read or allocated by it.
func (h npyHeader) rows() (int, error) {
	if len(h.shape) == 2 && h.shape[1] == 2 {
		if n := h.shape[0]; n > 0 && n%EdgesPerNode == 0 && n/EdgesPerNode <= MaxNodes {
			return n, nil
		}
	}
	return 0, invalid("npy shape", "%v; give an array of shape (2n, 2) with one row [edge, op] per kept edge and n in 1..%d",
		h.shape, MaxNodes)
}

// readPart reads exactly size bytes. Callers bound size.
func readPart(r io.Reader, size int, what string) ([]byte, error) {
	data := make([]byte, size)
	n, err := io.ReadFull(r, data)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, invalid("npy "+what, "truncated after %d of %d bytes; copy the file again", n, size)
	}
	return data, err
}

func expectEnd(r io.Reader) error {
	n, err := io.ReadFull(r, make([]byte, 1))
	if n > 0 {
		return invalid("npy data", "more bytes than its shape tells; save one array a file")
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
