package main

import (
	"math"

	"github.com/spikedhs/spikedhs/spike"
)

// A surrogate gradient is one file: dy/du at x = u - Vth for the temperature b. Runs name it
// network.surrogate = "go:bell".
func init() {
	_, err := spike.Register("bell", func(x, b float64) float64 {
		return b * math.Exp(-math.Pi*b*b*x*x)
	})
	if err != nil {
		panic(err)
	}
}
