package data

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a file holds, it is decoded into a full crop or refused.
func FuzzPicture(f *testing.F) {
	picture := jpegOf(f, scene(40, 30, 1))
	f.Add(picture)
	f.Add(picture[:len(picture)/2])
	f.Add(withOrientation(picture, 6, binary.LittleEndian))
	f.Add(withOrientation(picture, 3, binary.BigEndian)[:60])
	f.Add(jpegOf(f, greyOf(9, 7, 3)))
	f.Add(pngOf(f, scene(20, 10, 2)))
	f.Add(pngOf(f, greyOf(3, 5, 1)))
	f.Add([]byte("GIF89a"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, file []byte) {
		s := newDecoder()
		s.pixels = 1 << 16
		if err := s.decode(file); err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		w, h := s.size()
		require.Positive(t, w*h)
		const n = 5
		dst := make([]byte, 3*n*n+1)
		s.render(centre(w, h, n), n, dst[:3*n*n])
		var rng rand.PCG
		rng.Seed(1, uint64(len(file)))
		for range 4 {
			s.render(ImageNetCrop.draw(w, h, &rng), n, dst[:3*n*n])
		}
	})
}

// Every cut and every changed byte of a small file of each kind.
func TestDamagedPicturesNeverPanic(t *testing.T) {
	s := newDecoder()
	s.pixels = 1 << 16
	dst := make([]byte, 48)
	try := func(file []byte) {
		if s.decode(file) == nil {
			w, h := s.size()
			s.render(centre(w, h, 4), 4, dst)
		}
	}
	for _, file := range [][]byte{
		jpegOf(t, scene(17, 9, 1)), withOrientation(jpegOf(t, greyOf(9, 9, 8)), 6, binary.BigEndian), pngOf(t, scene(6, 5, 2)),
	} {
		for i := range file {
			try(file[:i])
			for _, flip := range []byte{0xff, 0x01} {
				changed := append([]byte{}, file...)
				changed[i] ^= flip
				try(changed)
			}
		}
	}
}

// The lists beside the folders: parsed, or refused with the number of the line.
func FuzzLabelLists(f *testing.F) {
	f.Add("val_0.JPEG\tn01\t0\t32\t44\t62\n", "ImageId,PredictionString\nval_1,n01 1 2 3 4\n", "n01\tgoldfish, Carassius\n")
	f.Add("\ufeffa b\r\n\r\n", "a,\n", " \t \n")
	f.Add("a\tb\na\tc\n", "x", "n01 tench")
	f.Fuzz(func(t *testing.T, annotations, solution, words string) {
		for _, list := range []struct {
			text  string
			parse func(map[string]string, int, string) error
		}{{annotations, parseAnnotation}, {solution, parseSolution}} {
			labels := map[string]string{}
			err := eachLine(strings.NewReader(list.text), func(n int, line string) error { return list.parse(labels, n, line) })
			if err != nil {
				require.ErrorIs(t, err, ErrFormat)
			}
			for id, class := range labels {
				require.NotEmpty(t, class, id)
			}
		}
		root := plant(t, map[string][]byte{"words.txt": []byte(words), "classes.txt": []byte(words)})
		order, err := readClassOrder(root + "/classes.txt")
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		names, err := classNames(root, order)
		require.NoError(t, err)
		require.Len(t, names, len(order))
		for _, name := range names {
			require.NotContains(t, name, "\n")
			require.NotEmpty(t, name)
		}
	})
}

// What a folder may be called, and what lies in it.
func FuzzFolderNames(f *testing.F) {
	f.Add("cat", "dog", "a.jpg")
	f.Add("Katze 1", "\xff", "b.JPEG")
	f.Add("images", ".x", "c.txt")
	f.Fuzz(func(t *testing.T, first, second, file string) {
		for _, name := range []string{first, second, file} {
			if name == "" || name == "." || name == ".." || len(name) > 60 || strings.ContainsAny(name, "/\x00\\") {
				t.Skip()
			}
		}
		if first == second {
			t.Skip()
		}
		root := plant(t, map[string][]byte{"train/" + first + "/" + file: {1}, "train/" + second + "/" + file: {2}})
		x, err := indexFolder(t.Context(), root, Train)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		require.Len(t, x.files, 2)
		require.Len(t, x.classes, 2)
		require.NotEqual(t, x.files[0].label, x.files[1].label)
	})
}
