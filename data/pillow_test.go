package data

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pillow is a Python that has Pillow.
func pillow(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		if name != "" && exec.Command(name, "-c", "import PIL").Run() == nil {
			return name
		}
	}
	t.Skip("no Python with Pillow; install it (Debian: python3-pil) or name one with PYTHON")
	return ""
}

// asked is a crop that both sides make.
type asked struct {
	file string
	w    window
	size int
	// mean and most are the largest allowed mean and single difference in levels.
	mean, most float64
}

// comparePillow makes the crops on both sides.
func comparePillow(t *testing.T, crops []asked) (mean float64) {
	t.Helper()
	python := pillow(t)
	var lines strings.Builder
	for _, a := range crops {
		whole := 1
		if a.w == part(a.w.left, a.w.top, a.w.right-a.w.left, a.w.foot-a.w.top) {
			whole = 0
		}
		fmt.Fprintln(&lines, a.file, a.w.x0, a.w.y0, a.w.x1, a.w.y1, whole, a.size)
	}
	command := exec.Command(python, filepath.Join("testdata", "pil_crops.py"))
	command.Stdin = strings.NewReader(lines.String())
	var problem bytes.Buffer
	command.Stderr = &problem
	theirs, err := command.Output()
	require.NoError(t, err, problem.String())
	d := newDecoder()
	var worst, total float64
	for _, a := range crops {
		n := 3 * a.size * a.size
		ours := make([]byte, n)
		require.NoError(t, d.open(a.file))
		d.render(a.w, a.size, ours)
		require.GreaterOrEqual(t, len(theirs), n)
		var sum, most float64
		for i, v := range ours {
			d := math.Abs(float64(v) - float64(theirs[i]))
			sum, most = sum+d, max(most, d)
		}
		theirs = theirs[n:]
		mean := sum / float64(n)
		assert.LessOrEqual(t, mean, a.mean, "%s: mean difference of %+v", a.file, a.w)
		assert.LessOrEqual(t, most, a.most, "%s: largest difference of %+v", a.file, a.w)
		worst, total = max(worst, most), total+mean/float64(len(crops))
	}
	t.Logf("%d crops: mean difference %.3f levels, largest %v", len(crops), total, worst)
	return total
}

// What stands in the way of equality: Pillow rounds to 8 bits between rows and
// columns (0.5 levels), and spreads the chroma of JPEG to all pixels before it resizes.
func TestCropsEqualPillow(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o644))
		return path
	}
	picture := scene(150, 113, 3)
	grey := image.NewGray(picture.Rect)
	for i := range grey.Pix {
		grey.Pix[i] = picture.Pix[4*i]
	}
	files := map[string][2]float64{
		save("exact.png", pngOf(t, picture)):   {0.3, 1.01},
		save("grey.jpg", jpegOf(t, grey)):      {0.4, 2}, // decoders differ by a level
		save("colour.jpg", jpegOf(t, picture)): {0.7, 8},
	}
	var crops []asked
	var rng rand.PCG
	rng.Seed(4, 4)
	for _, name := range []string{"exact.png", "grey.jpg", "colour.jpg"} {
		file := filepath.Join(dir, name)
		limit := files[file]
		for _, size := range []int{32, 64, 224} {
			crops = append(crops, asked{file, centre(150, 113, size), size, limit[0], limit[1]})
			for range 3 {
				crops = append(crops, asked{file, ImageNetCrop.draw(150, 113, &rng), size, limit[0], limit[1]})
			}
		}
	}
	comparePillow(t, crops)
}
