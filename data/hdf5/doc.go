// Package hdf5 reads arrays of numbers from HDF5 files, as far as the recordings of
// event cameras need it: those of MVSEC are HDF5 files with LZF compression.
//
//	f, err := hdf5.Open("indoor_flying1_data.hdf5")
//	defer f.Close()
//	events, err := f.Dataset("davis/left/events")
//	rows, err := hdf5.ReadRows[float64](events, 0, 1000) // the first 1,000 rows
//
// Only the rows asked for are read and decompressed, so that a file may be larger than
// memory. What is read, after the public HDF5 file format specification, version 3:
// superblocks 0 to 3; groups as symbol tables and as link messages; integers and IEEE
// floats of either byte order; compact, contiguous and chunked storage with version 1
// B-trees; the filters deflate, shuffle, Fletcher-32 and LZF (number 32000). That is
// all that h5py writes by default. Files written with libver='latest' may have other
// indices, which are refused by name.
package hdf5
