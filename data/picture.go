package data

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
)

// maxPixels is the largest picture that is decoded: a small file may claim to be a
// huge picture.
const maxPixels = 1 << 27

// decoder turns the bytes of image files into crops. It keeps its memory from one
// picture to the next and serves one goroutine at a time.
type decoder struct {
	file        []byte
	reader      bytes.Reader
	planes      [3]planeResizer
	rgb         []byte // planes of a picture that has none of its own
	pixels      int    // limit of a picture
	decoded     image.Image
	orientation orientation
}

func newDecoder() *decoder { return &decoder{pixels: maxPixels} }

// codecs decode the sizes and the pixels of the formats that are read.
var codecs = map[string]struct {
	config func(io.Reader) (image.Config, error)
	pixels func(io.Reader) (image.Image, error)
}{"JPEG": {jpeg.DecodeConfig, jpeg.Decode}, "PNG": {png.DecodeConfig, png.Decode}}

// decode reads the picture in b, which is JPEG or PNG whatever its file is called.
// It fails with [ErrFormat].
func (s *decoder) decode(b []byte) (err error) {
	s.orientation, s.decoded = orientation{}, nil
	kind := sniff(b)
	codec, ok := codecs[kind]
	switch {
	case ok:
	case kind != "":
		return malformed("a %s file; convert it to JPEG or PNG", kind)
	case len(b) == 0:
		return malformed("empty file")
	default:
		return malformed("neither JPEG nor PNG")
	}
	s.reader.Reset(b)
	if c, err := codec.config(&s.reader); err == nil && c.Width > 0 && c.Height > s.pixels/c.Width {
		return malformed("a picture of %dx%d pixels, more than %d million", c.Width, c.Height, s.pixels>>20)
	}
	s.reader.Reset(b)
	if s.decoded, err = codec.pixels(&s.reader); err != nil {
		s.decoded = nil
		return contentError(err)
	}
	if kind == "JPEG" {
		s.orientation = orientationOf(jpegOrientation(b))
	}
	if s.decoded.Bounds().Empty() {
		return malformed("a picture without pixels")
	}
	return nil
}

// size is the size of the decoded picture as it is looked at.
func (s *decoder) size() (w, h int) {
	b := s.decoded.Bounds()
	if s.orientation.swap {
		return b.Dy(), b.Dx()
	}
	return b.Dx(), b.Dy()
}

// render resizes the part w of the decoded picture to n by n pixels, as R, G and B
// planes in dst.
func (s *decoder) render(w window, n int, dst []byte) {
	b := s.decoded.Bounds()
	w = s.orientation.stored(w, b.Dx(), b.Dy())
	at, stepX, stepY := s.orientation.walk(n)
	switch img := s.decoded.(type) {
	case *image.YCbCr:
		subX, subY := subsampling(img.SubsampleRatio)
		cw, ch := (b.Dx()+subX-1)/subX, (b.Dy()+subY-1)/subY
		s.planes[0].begin(plane{img.Y, img.YStride, b.Dx(), b.Dy(), 1, 1}, w, n)
		s.planes[1].begin(plane{img.Cb, img.CStride, cw, ch, subX, subY}, w, n)
		s.planes[2].begin(plane{img.Cr, img.CStride, cw, ch, subX, subY}, w, n)
		for y := range n {
			toRGB(dst, n*n, at+y*stepY, stepX, s.planes[0].next(y), s.planes[1].next(y), s.planes[2].next(y))
		}
	case *image.Gray:
		s.planes[0].begin(plane{img.Pix, img.Stride, b.Dx(), b.Dy(), 1, 1}, w, n)
		for y := range n {
			row := s.planes[0].next(y)
			for c := range 3 {
				toBytes(dst[c*n*n:(c+1)*n*n], at+y*stepY, stepX, row)
			}
		}
	default:
		area := b.Dx() * b.Dy()
		s.rgb = resized(s.rgb, 3*area)
		split(s.rgb, img, w)
		for c := range 3 {
			s.planes[c].begin(plane{s.rgb[c*area : (c+1)*area], b.Dx(), b.Dx(), b.Dy(), 1, 1}, w, n)
			for y := range n {
				toBytes(dst[c*n*n:(c+1)*n*n], at+y*stepY, stepX, s.planes[c].next(y))
			}
		}
	}
}

// subsampling is the number of columns and rows of pixels for one chroma sample.
func subsampling(r image.YCbCrSubsampleRatio) (x, y int) {
	steps := map[image.YCbCrSubsampleRatio][2]int{
		image.YCbCrSubsampleRatio422: {2, 1},
		image.YCbCrSubsampleRatio420: {2, 2},
		image.YCbCrSubsampleRatio440: {1, 2},
		image.YCbCrSubsampleRatio411: {4, 1},
		image.YCbCrSubsampleRatio410: {4, 2},
	}[r]
	return max(1, steps[0]), max(1, steps[1])
}

// toRGB converts one row of JFIF's Y, Cb and Cr. Pixel x goes to at + x*step of each
// of three planes of so many bytes.
func toRGB(dst []byte, plane, at, step int, luma, blue, red []int32) {
	const (
		fraction = 10
		shift    = fraction + valueBits
		round    = 1 << (shift - 1)
		middle   = 128 << valueBits
		// The coefficients of ITU-T T.871, in 1/1024.
		redOfRed    = 1436 // 1.402
		greenOfBlue = 352  // 0.344136
		greenOfRed  = 731  // 0.714136
		blueOfBlue  = 1815 // 1.772
	)
	r, g, b := dst[:plane], dst[plane:2*plane], dst[2*plane:3*plane]
	blue, red = blue[:len(luma)], red[:len(luma)]
	for x, y := range luma {
		y = y<<fraction + round
		cb, cr := blue[x]-middle, red[x]-middle
		r[at] = clamp((y + redOfRed*cr) >> shift)
		g[at] = clamp((y - greenOfBlue*cb - greenOfRed*cr) >> shift)
		b[at] = clamp((y + blueOfBlue*cb) >> shift)
		at += step
	}
}

// toBytes rounds one row.
func toBytes(dst []byte, at, step int, row []int32) {
	for _, v := range row {
		dst[at] = clamp((v + 1<<(valueBits-1)) >> valueBits)
		at += step
	}
}

func clamp(v int32) byte {
	if uint32(v) > 255 {
		return byte(^(v >> 31)) // 0 below, 255 above
	}
	return byte(v)
}

// split writes the pixels that w may read to three planes. Transparency is left
// aside, as in other loaders: a pixel keeps the colour it was stored with. Of 16-bit
// samples the upper 8 bits count.
func split(dst []byte, img image.Image, w window) {
	b := img.Bounds()
	width, area := b.Dx(), b.Dx()*b.Dy()
	put := func(x, y int, r, g, b byte) {
		i := y*width + x
		dst[i], dst[area+i], dst[2*area+i] = r, g, b
	}
	// As they were stored: bytes of a pixel, and from one channel to the next.
	var pix []byte
	var stride, size, channel int
	switch img := img.(type) {
	case *image.RGBA: // of PNG and JPEG without transparency
		pix, stride, size, channel = img.Pix, img.Stride, 4, 1
	case *image.NRGBA:
		pix, stride, size, channel = img.Pix, img.Stride, 4, 1
	case *image.RGBA64:
		pix, stride, size, channel = img.Pix, img.Stride, 8, 2
	case *image.NRGBA64:
		pix, stride, size, channel = img.Pix, img.Stride, 8, 2
	case *image.Gray16:
		pix, stride, size = img.Pix, img.Stride, 2
	}
	for y := w.top; y < w.foot; y++ {
		for x := w.left; x < w.right; x++ {
			if pix == nil {
				c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
				put(x, y, c.R, c.G, c.B)
				continue
			}
			p := pix[y*stride+x*size:]
			put(x, y, p[0], p[channel], p[2*channel])
		}
	}
}

// sniff names the format of a file after its first bytes, "" for one it does not know.
func sniff(b []byte) string {
	for _, f := range []struct{ name, magic string }{
		{"JPEG", "\xff\xd8"},
		{"PNG", "\x89PNG\r\n\x1a\n"},
		{"GIF", "GIF8"},
		{"BMP", "BM"},
		{"TIFF", "II*\x00"},
		{"TIFF", "MM\x00*"},
		{"HTML", "<!"},
		{"HTML", "<html"},
		{"JPEG 2000", "\x00\x00\x00\x0cjP"},
	} {
		if bytes.HasPrefix(b, []byte(f.magic)) {
			return f.name
		}
	}
	switch {
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return "WebP"
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		return "HEIF or AVIF"
	}
	return ""
}
