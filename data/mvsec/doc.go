// Package mvsec converts the HDF5 files of MVSEC (Zhu et al. 2018) to the layout of
// package stereo, as the DDES code (Tulyakov et al. 2019) does:
//
//	result, err := mvsec.Convert(ctx, mvsec.Options{
//		Data:  "indoor_flying1_data.hdf5",
//		GT:    "indoor_flying1_gt.hdf5",
//		Calib: "indoor_flying_calib",
//		Out:   "mvsec/indoor_flying_1",
//	})
//
// For each frame of rectified depth of the left camera: the events of both views in the
// 50 ms before it, at rectified pixels, and disparity as a label image. The files may
// be larger than memory.
package mvsec
