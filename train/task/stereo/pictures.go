package stereo

import (
	"fmt"
	"image/png"
	"io"
	"math"
	"os"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/train/run"
)

// PictureDir is the folder of a run with drawings of test frames.
const PictureDir = "pictures"

// galleryFrames is how many test frames are drawn.
const galleryFrames = 4

// gallery draws some of the frames that it is shown, spread over all of them: events,
// true and found disparity, and their difference, beside each other.
type gallery struct {
	folder *run.Folder
	frames int
	drawn  int
}

func newGallery(folder *run.Folder, frames int) *gallery {
	return &gallery{folder: folder, frames: frames}
}

// draw draws a frame if it is the next of those spread over all.
func (g *gallery) draw(f frame) error {
	if g.drawn >= galleryFrames || f.number < (2*g.drawn+1)*g.frames/(2*galleryFrames) {
		return nil
	}
	g.drawn++
	largest := 0.0
	for _, d := range f.truth {
		if v := float64(d); !math.IsInf(v, 0) && !math.IsNaN(v) {
			largest = max(largest, v)
		}
	}
	found := data.DisparityPicture(f.disparity, f.height, f.width, largest)
	const most = 2000 // pixels of a row of pictures
	zoom := min(3, max(1, most/(5*f.width)))
	row := data.Beside(zoom,
		data.EventPicture(f.left, f.channels, f.height, f.width),
		data.DisparityPicture(f.truth, f.height, f.width, largest),
		found,
		data.ErrorPicture(f.disparity, f.truth, f.height, f.width),
		data.Overlay(found, f.left, f.channels))
	if err := os.MkdirAll(g.folder.Path(PictureDir), 0o777); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	name := fmt.Sprintf("%s/%02d_%s_%06d.png", PictureDir, g.drawn, f.frame.Sequence, f.frame.Index)
	if err := g.folder.Write(name, func(w io.Writer) error { return png.Encode(w, row) }); err != nil {
		return fmt.Errorf("train: draw disparity: %w", err)
	}
	return nil
}
