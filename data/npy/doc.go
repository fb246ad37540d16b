// Package npy reads and writes NumPy's .npy files of numbers, and reads the .npz
// archives that numpy.savez makes of them.
//
//	array, err := npy.ReadFile("event0/000007.npy")
//	rows := npy.Values[float64](array) // in C order, len = product of array.Shape
//
//	err = npy.WriteFile("disparity.npy", []int{260, 346}, disparity) // []float32
//
// Format versions 1 to 3 are read, any plain integer, float32 or float64 type, either
// byte order, either memory order. Files are written as version 1, little-endian, in C
// order, byte for byte like numpy.save. Python objects are never read. A header that
// claims more than the file has costs no memory. [ReadRecords] reads structured types.
// Source of the format: NumPy Enhancement Proposal 1.
package npy
