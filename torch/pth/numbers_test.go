package pth

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Float64s are the numbers of a tensor; BOOL gives 0 and 1.
func (t Tensor) Float64s() ([]float64, error) {
	of := map[string]struct {
		size int
		read func(b []byte) float64
	}{
		"F64": {8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }},
		"F32": {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }},
		"F16": {2, func(b []byte) float64 { return half(binary.LittleEndian.Uint16(b)) }},
		"BF16": {2, func(b []byte) float64 {
			return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
		}},
		"I64":  {8, func(b []byte) float64 { return float64(int64(binary.LittleEndian.Uint64(b))) }},
		"I32":  {4, func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) }},
		"I16":  {2, func(b []byte) float64 { return float64(int16(binary.LittleEndian.Uint16(b))) }},
		"I8":   {1, func(b []byte) float64 { return float64(int8(b[0])) }},
		"U8":   {1, func(b []byte) float64 { return float64(b[0]) }},
		"BOOL": {1, func(b []byte) float64 { return float64(min(b[0], 1)) }},
	}[t.Type]
	if of.read == nil {
		return nil, fmt.Errorf("pth: tensor %s: numbers of type %s are not read", t.Name, t.Type)
	}
	numbers := make([]float64, len(t.Data)/of.size)
	for i := range numbers {
		numbers[i] = of.read(t.Data[i*of.size:])
	}
	return numbers, nil
}

// half is a number of 16 bits: sign, 5 bits of exponent, 10 of fraction.
func half(bits uint16) float64 {
	sign := 1.0
	if bits>>15 != 0 {
		sign = -1
	}
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}
