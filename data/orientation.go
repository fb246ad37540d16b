package data

import "encoding/binary"

// orientation says how a stored picture is turned to be looked at. A pixel (x, y) of
// the upright picture is the stored pixel (x, y), or (y, x) with swap, counted from
// the right with mirrorX and from below with mirrorY.
type orientation struct{ swap, mirrorX, mirrorY bool }

// orientationOf is the meaning of EXIF's tag Orientation, 1 to 8; other numbers are
// taken as 1, upright.
func orientationOf(tag int) orientation {
	return map[int]orientation{
		2: {mirrorX: true},
		3: {mirrorX: true, mirrorY: true},
		4: {mirrorY: true},
		5: {swap: true},
		6: {swap: true, mirrorY: true},
		7: {swap: true, mirrorX: true, mirrorY: true},
		8: {swap: true, mirrorX: true},
	}[tag]
}

// stored turns a window of the upright picture into one of the stored picture of w
// columns and h rows.
func (o orientation) stored(v window, w, h int) window {
	if o.swap {
		v = window{v.y0, v.x0, v.y1, v.x1, v.top, v.left, v.foot, v.right}
	}
	if o.mirrorX {
		v.x0, v.x1 = float64(w)-v.x1, float64(w)-v.x0
		v.left, v.right = w-v.right, w-v.left
	}
	if o.mirrorY {
		v.y0, v.y1 = float64(h)-v.y1, float64(h)-v.y0
		v.top, v.foot = h-v.foot, h-v.top
	}
	return v
}

// walk says where the pixels of a stored crop of n by n pixels go in the upright one:
// (x, y) goes to at + x*stepX + y*stepY.
func (o orientation) walk(n int) (at, stepX, stepY int) {
	stepX, stepY = 1, n
	if o.swap {
		stepX, stepY = n, 1
	}
	if o.mirrorX {
		at, stepX = at+(n-1)*stepX, -stepX
	}
	if o.mirrorY {
		at, stepY = at+(n-1)*stepY, -stepY
	}
	return at, stepX, stepY
}

// jpegOrientation is EXIF's orientation in the segments of a JPEG file before its first
// scan, 0 where there is none. It stops at what it does not understand: whether the file is
// sound is the decoder's to say.
func jpegOrientation(b []byte) int {
	for i := 2; i+4 <= len(b) && b[i] == 0xff; {
		marker := b[i+1]
		switch {
		case marker == 0xff: // fill byte
			i++
			continue
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd8: // without a length
			i += 2
			continue
		case marker == 0xd9 || marker == 0xda: // end, scan
			return 0
		}
		size := int(binary.BigEndian.Uint16(b[i+2:]))
		if size < 2 || i+2+size > len(b) {
			return 0
		}
		if marker == 0xe1 {
			if tag := exifOrientation(b[i+4 : i+2+size]); tag != 0 {
				return tag
			}
		}
		i += 2 + size
	}
	return 0
}

// exifOrientation finds the tag Orientation in an APP1 segment; 0 where there is none.
func exifOrientation(b []byte) int {
	const header = "Exif\x00\x00"
	if len(b) < len(header)+8 || string(b[:len(header)]) != header {
		return 0
	}
	b = b[len(header):]
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	const entry, tagOrientation, typeShort = 12, 0x0112, 3
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 0
	}
	count := int(order.Uint16(b[at:]))
	entries := b[at+2:]
	for k := 0; k < count && (k+1)*entry <= len(entries); k++ {
		e := entries[k*entry:]
		if order.Uint16(e) == tagOrientation && order.Uint16(e[2:]) == typeShort {
			return int(order.Uint16(e[8:]))
		}
	}
	return 0
}
