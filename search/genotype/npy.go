package genotype

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spikedhs/spikedhs/data/npy"
)

// maxMagnitude bounds the numbers read from a file, far above any edge number.
const maxMagnitude = 1 << 30

// ReadNPY reads a cell from a NumPy .npy file as the SpikeDHS code publishes it:
// an integer array of shape (2n, 2) with rows [edge, op]. Any plain integer or
// floating type, byte order and memory order is read. Rows need not be grouped
// by node; see NewCell. Faults wrap ErrInvalid.
func ReadNPY(r io.Reader) (Cell, error) {
	array, err := npy.ReadWhole(io.LimitReader(r, maxFileSize))
	if errors.Is(err, npy.ErrFormat) {
		return Cell{}, fmt.Errorf("%w: npy: %w", ErrInvalid, err)
	}
	if err != nil {
		return Cell{}, err
	}
	shape := array.Shape
	if len(shape) != 2 || shape[1] != 2 || shape[0] == 0 || shape[0]%EdgesPerNode != 0 || shape[0]/EdgesPerNode > MaxNodes {
		return Cell{}, invalid("npy shape", "%v; give an array of shape (2n, 2) with one row [edge, op] per kept edge and n in 1..%d",
			shape, MaxNodes)
	}
	values := npy.Values[float64](array)
	rows := make([][2]int, shape[0])
	for i, v := range values {
		switch {
		case !(math.Abs(v) <= maxMagnitude):
			return Cell{}, invalid(fmt.Sprintf("npy[%d][%d]", i/2, i%2), "%v is out of range; save whole numbers", v)
		case v != math.Trunc(v):
			return Cell{}, invalid(fmt.Sprintf("npy[%d][%d]", i/2, i%2), "%v is a fraction; save whole numbers", v)
		}
		rows[i/2][i%2] = int(v)
	}
	return NewCell(rows)
}
