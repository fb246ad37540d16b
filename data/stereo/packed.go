package stereo

// A packed stack has the values -1, 0, +1 of five channels of a pixel as the digits of
// one byte in base 3, a fifth of the room: plane p of [planes, H, W] holds channels
// 5p..5p+4.
const perByte = 5

func planes(channels int) int { return (channels + perByte - 1) / perByte }

// digits are the five values of a packed byte.
var digits = func() (d [243][perByte]int8) {
	for v := range d {
		rest := v
		for c := range perByte {
			d[v][c] = int8(rest%3) - 1
			rest /= 3
		}
	}
	return d
}()

// digitTables are the values of each channel by the bytes of its plane, for so many planes.
func digitTables(planes int) [][]float32 {
	tables := make([][]float32, perByte)
	for c := range tables {
		for range planes {
			table := make([]float32, 256)
			for v := range digits {
				table[v] = float32(digits[v][c])
			}
			tables[c] = append(tables[c], table...)
		}
	}
	return tables
}

// pack packs a stack of [channels, pixels].
func pack(stack []int8, channels, pixels int) []byte {
	packed := make([]byte, planes(channels)*pixels)
	weight := [perByte]byte{1, 3, 9, 27, 81}
	for c := range planes(channels) * perByte {
		plane := packed[c/perByte*pixels:][:pixels]
		if c >= channels { // no channel: 0, which is the digit 1
			for i := range plane {
				plane[i] += weight[c%perByte]
			}
			continue
		}
		for i, v := range stack[c*pixels:][:pixels] {
			plane[i] += byte(v+1) * weight[c%perByte]
		}
	}
	return packed
}

// validPacked tells whether all bytes can be unpacked.
func validPacked(packed []byte) bool {
	for _, v := range packed {
		if v >= byte(len(digits)) {
			return false
		}
	}
	return true
}

// crop is a part of a picture.
type crop struct{ x, y, width, height int }

// unpack writes a part of a packed stack, of a picture width pixels wide, to dst,
// [channels, part.height, part.width].
func unpack[T int8 | float32](dst []T, packed []byte, channels, width, height int, part crop) {
	pixels, size := width*height, part.width*part.height
	for first := 0; first < channels; first += perByte {
		plane := packed[first/perByte*pixels:][:pixels]
		n := min(perByte, channels-first)
		for y := range part.height {
			row := plane[(part.y+y)*width+part.x:][:part.width]
			for c := range n {
				out := dst[(first+c)*size+y*part.width:][:part.width]
				for x, v := range row {
					out[x] = T(digits[v][c])
				}
			}
		}
	}
}
