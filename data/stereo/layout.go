package stereo

import (
	"fmt"
	"path/filepath"
)

// Names in the folder of a sequence.
const (
	// TimestampsFile lists the times of the frames.
	TimestampsFile = "timestamps.txt"
	// DisparityFolder has the labels, 8-bit PNG files.
	DisparityFolder = "disparity_image"
	// FloatFolder has exact disparity as float32 .npy files; only synthetic scenes do.
	FloatFolder = "disparity_float"
	// OcclusionFolder tells which left pixels the right camera does not see; only
	// synthetic scenes do.
	OcclusionFolder = "occlusion"
)

// Window is the time in seconds that the events of a frame span, up to its timestamp.
const Window = 0.05

// eventFolder is the folder of the events of a view.
func eventFolder(v View) string { return fmt.Sprintf("event%d", int(v)) }

// EventFile is where the events of a frame of the sequence in folder dir are.
func EventFile(dir string, v View, frame int) string {
	return filepath.Join(dir, eventFolder(v), fmt.Sprintf("%06d.npy", frame))
}

// DisparityFile is where the label of a frame is.
func DisparityFile(dir string, frame int) string {
	return filepath.Join(dir, DisparityFolder, fmt.Sprintf("%06d.png", frame))
}

// FloatFile is where the exact disparity of a frame is.
func FloatFile(dir string, frame int) string {
	return filepath.Join(dir, FloatFolder, fmt.Sprintf("%06d.npy", frame))
}

// OcclusionFile is where the occlusion mask of a frame is.
func OcclusionFile(dir string, frame int) string {
	return filepath.Join(dir, OcclusionFolder, fmt.Sprintf("%06d.png", frame))
}
