package events

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every format gives back the events that were written in it.
func TestFormatsRoundTrip(t *testing.T) {
	list := drawn(1, 2000, 128, 128, 4_000_000)
	aer, err := EncodeAER(drawn(1, 2000, 34, 34, 4_000_000))
	require.NoError(t, err)
	for name, content := range map[string][]byte{
		"a.aedat": aedat(list), "b.dat": dat(list, "% Version 2\n% Height 128\n% Width 128\n"),
		"c.raw": evt2(list), "d.RAW": evt3(list), "e.txt": text(list),
	} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, content, 0o644))
		r, err := Open(path, Options{})
		require.NoError(t, err, name)
		assert.Equal(t, list, r.Events, name)
		assert.Equal(t, Problems{}, r.Problems, name)
		assert.Equal(t, name != "e.txt", r.Declared, name)
	}
	want := drawn(1, 2000, 34, 34, 4_000_000)
	r, err := Decode("f.bs2", aer, Options{Width: 34, Height: 34})
	require.NoError(t, err)
	first := want[0].Microseconds()
	for i := range want {
		want[i] = At(want[i].Microseconds()-first, want[i].X, want[i].Y, want[i].P > 0)
	}
	assert.Equal(t, want, r.Events)
	assert.Equal(t, 34, r.Width)
}

// An event of N-MNIST bit by bit: x 3, y 5, ON, 0x012345 us.
func TestAERBits(t *testing.T) {
	r, err := Decode("x.bin", []byte{3, 5, 0x81, 0x23, 0x45, 4, 6, 0x01, 0x23, 0x46}, Options{})
	require.NoError(t, err)
	assert.Equal(t, []Event{At(0x12345, 3, 5, true), At(0x12346, 4, 6, false)}, r.Events)
	assert.Equal(t, []int{5, 7}, []int{r.Width, r.Height})
	assert.False(t, r.Declared)
}

func TestAERClockOverflow(t *testing.T) {
	// Row 240 is a lap of 2^13 us.
	r, err := Decode("x.bin", []byte{1, 1, 0, 0, 10, 0, 240, 0, 0, 0, 2, 2, 0, 0, 20}, Options{Width: 34, Height: 34})
	require.NoError(t, err)
	assert.Equal(t, []Event{At(10, 1, 1, false), At(20+8192, 2, 2, false)}, r.Events)
	assert.Equal(t, Problems{Special: 1}, r.Problems)
	assert.False(t, r.Problems.Any())
}

func TestEncodeAERRefuses(t *testing.T) {
	for _, e := range []Event{At(0, 256, 0, false), At(0, 0, 240, false), At(1<<23, 0, 0, false), At(-1, 0, 0, false)} {
		_, err := EncodeAER([]Event{{}, e})
		assert.ErrorContains(t, err, "event 1", "%+v", e)
	}
}

func TestTransposedAEDAT(t *testing.T) {
	list := drawn(2, 100, 128, 128, 1000)
	r, err := Decode("x.aedat", aedat(list), Options{Transpose: true})
	require.NoError(t, err)
	for i, e := range list {
		assert.Equal(t, Event{e.T, e.Y, e.X, e.P}, r.Events[i])
	}
}

// Times that go back: by a little the events are sorted, by a lap the clock goes on.
func TestTimesThatGoBack(t *testing.T) {
	list := []Event{At(100, 0, 0, false), At(90, 1, 0, false), At(110, 2, 0, false), At(95, 3, 0, false)}
	r, err := Decode("x.aedat", aedat(list), Options{})
	require.NoError(t, err)
	assert.Equal(t, Problems{Unsorted: 2}, r.Problems)
	assert.Equal(t, []Event{At(90, 1, 0, false), At(95, 3, 0, false), At(100, 0, 0, false), At(110, 2, 0, false)}, r.Events)

	r, err = Decode("x.aedat", aedat([]Event{At(1<<32-5, 0, 0, false), At(3, 0, 0, false)}), Options{})
	require.NoError(t, err)
	assert.Equal(t, Problems{Wrapped: 1}, r.Problems)
	assert.Equal(t, int64(8), r.Duration())

	r, err = Decode("x.bin", []byte{0, 0, 0x7f, 0xff, 0xff, 0, 0, 0, 0, 1}, Options{})
	require.NoError(t, err)
	assert.Equal(t, int64(2), r.Duration())
	assert.Equal(t, "1 wrap of the clock, continued", r.Problems.String())
}

func TestEventsBesideTheSensor(t *testing.T) {
	list := []Event{At(1, 40, 0, false), At(2, 3, 0, false), At(3, 0, 4, false)}
	r, err := Decode("x.aedat", aedat(list), Options{Width: 34, Height: 34})
	require.NoError(t, err)
	assert.Equal(t, Problems{Outside: 1}, r.Problems)
	assert.Equal(t, list[1:], r.Events)
	_, err = Decode("x.aedat", aedat(list), Options{Width: 2, Height: 3})
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "3 of 3 events lie beside a sensor of 2 x 3 pixels")
}

func TestEVT3Vectors(t *testing.T) {
	content := []byte("% evt 3.0\n")
	for _, w := range []uint16{0x2005, 0x8001, 0x6002, 0x0007, 0x3800 | 10, 0x4801, 0x5003, 0xa000} {
		content = binary.LittleEndian.AppendUint16(content, w)
	}
	r, err := Decode("x.raw", content, Options{})
	require.NoError(t, err)
	// Columns 10 and 21 of the twelve, then 22 and 23 of the eight.
	assert.Equal(t, []Event{At(4098, 10, 7, true), At(4098, 21, 7, true), At(4098, 22, 7, true), At(4098, 23, 7, true)}, r.Events)
	assert.Equal(t, Problems{Special: 1}, r.Problems)
}

func TestSpecialAddresses(t *testing.T) {
	content := binary.BigEndian.AppendUint32(aedat([]Event{At(5, 0, 0, false)}), 0x8000)
	r, err := Decode("x.aedat", binary.BigEndian.AppendUint32(content, 6), Options{})
	require.NoError(t, err)
	assert.Equal(t, Problems{Special: 1}, r.Problems)
	assert.Len(t, r.Events, 1)
}

func TestBadFiles(t *testing.T) {
	good := aedat([]Event{At(5, 0, 0, false)})
	for message, file := range map[string]struct {
		name    string
		content string
	}{
		"no events":                                     {"a.bin", ""},
		"truncated: 7 bytes are 1 events":               {"b.bin", "1234567"},
		"does not begin with #!AER-DAT2.0":              {"c.aedat", "hello"},
		`version "#!AER-DAT3.1"`:                        {"d.aedat", "#!AER-DAT3.1\n12345678"},
		"the header has no end":                         {"e.aedat", "#!AER-DAT2.0"},
		"recorded by":                                   {"f.aedat", "#!AER-DAT2.0\n# AEChip: eu.seebetter.Davis346\n12345678"},
		"1 events of 8 bytes and 3 bytes":               {"g.aedat", string(good) + "123"},
		"does not begin with a header":                  {"h.dat", "12345678"},
		"holds events of kind 40":                       {"i.dat", "% x\n\x28\x08"},
		"nothing behind the header":                     {"j.dat", "% x\n"},
		"1 events of 8 bytes and 1 bytes":               {"k.dat", string(dat([]Event{{}}, "% x\n")) + "1"},
		`no line "% evt 2.0"`:                           {"l.raw", "% evt 4.0\n1234"},
		"no number of 32-bit words":                     {"m.raw", "% evt 2.0\n123"},
		"no number of 16-bit words":                     {"n.raw", "% evt 3.0\n123"},
		"line 2 has 3 words":                            {"o.txt", "1 2 3 0\n1 2 3\n"},
		`line 1: "x" is no number`:                      {"p.txt", "1 2 x 0\n"},
		`line 1: "NaN" is no number`:                    {"q.txt", "NaN 2 3 0\n"},
		"event 1 has polarity 3":                        {"r.txt", "0.5 2 3 0\n1.5 2 3 3\n"},
		"the order of the columns is not clear":         {"s.txt", "1 2 3 0\n1 2 3 0\n"},
		"neither x,y,t,p nor t,x,y,p":                   {"t.txt", "-1 -2 -3 0\n-2 -2 -3 1\n"},
		"files of the kind \".jpg\" are not known":      {"u.jpg", ""},
		"does not start like one":                       {"v.npy", "hello hello hello"},
		"header: expected":                              {"w.npy", "\x93NUMPY\x01\x00\x04\x00{'a'body"},
		"truncated in its header after 4 of 9999 bytes": {"x.npy", "\x93NUMPY\x01\x00\x0f\x27abcd"},
		"version 9 is unknown":                          {"y.npy", "\x93NUMPY\x09\x00\x01\x00abcd"},
		"the events span more than":                     {"z.txt", "0.5 1 1 0\n900000000.5 1 1 1\n"},
	} {
		_, err := Decode(file.name, []byte(file.content), Options{})
		assert.ErrorIs(t, err, ErrFormat, file.name)
		assert.ErrorContains(t, err, message, file.name)
		assert.NotContains(t, err.Error(), "\n", file.name)
	}
	_, err := Decode("a.bin", nil, Options{Width: -1})
	assert.ErrorIs(t, err, ErrFormat)
	_, err = Open(filepath.Join(t.TempDir(), "none.bin"), Options{})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// The order of columns is found out by what can be a pixel and what ascends.
func TestColumnsAreFoundOut(t *testing.T) {
	for name, sample := range map[string]struct {
		lines   string
		options Options
		want    Event
	}{
		"times too large for pixels":  {"100000 3 4 1\n100001 3 4 0\n", Options{}, At(100000, 3, 4, true)},
		"the other way round":         {"3 4 100000 1\n3 4 100001 0\n", Options{}, At(100000, 3, 4, true)},
		"by the sensor":               {"3 4 50 1\n9 4 40 0\n", Options{Width: 34, Height: 34}, At(40, 9, 4, false)},
		"by what ascends":             {"5 3 9 -1\n7 3 2 1\n", Options{}, At(5, 3, 9, false)},
		"stated":                      {"5 3 9 -1\n7 3 2 1\n", Options{Columns: "xytp"}, At(2, 7, 3, true)},
		"seconds":                     {"0.5 3 4 1\n1.25 3 4 0\n", Options{}, At(500000, 3, 4, true)},
		"seconds in the third column": {"3 4 0.000002 1\n3 5 0.000004 0\n", Options{}, At(2, 3, 4, true)},
	} {
		r, err := Decode("x.txt", []byte(sample.lines), sample.options)
		require.NoError(t, err, name)
		assert.Equal(t, sample.want, r.Events[0], name)
	}
	_, err := Decode("x.txt", []byte("1 2 3 0\n"), Options{Columns: "pyxt"})
	assert.ErrorContains(t, err, "want xytp, txyp or auto")
}

// A program's own reader serves files by the end of their names.
func TestRegister(t *testing.T) {
	read := func(content []byte, o Options) (*Recording, error) {
		r := &Recording{Events: []Event{At(int64(content[0]), 2, 1, true), At(3, 0, 0, false)}}
		return r, r.Finish(o, 4, 5)
	}
	Register(".own", read)
	t.Cleanup(func() { delete(formats, ".own") })
	assert.True(t, Known("a.OWN"))
	r, err := Decode("a.own", []byte{7}, Options{})
	require.NoError(t, err)
	assert.Equal(t, []Event{At(3, 0, 0, false), At(7, 2, 1, true)}, r.Events, "sorted")
	assert.Equal(t, []int{4, 5, 1}, []int{r.Width, r.Height, r.Problems.Unsorted})
	assert.Panics(t, func() { Register(".own", read) }, "twice")
	assert.Panics(t, func() { Register("own2", read) })
}

// Microseconds come back exactly, also those of a clock since 1970.
func TestMicrosecondsAreExact(t *testing.T) {
	for _, us := range []int64{0, 1, -7, 999_999, 1_764_532_800_123_457, largestMicroseconds - 1} {
		for k := range int64(1000) {
			require.Equal(t, us-k, At(us-k, 0, 0, true).Microseconds())
		}
	}
}

func TestKnown(t *testing.T) {
	assert.True(t, Known("a/b/C.BIN"))
	assert.False(t, Known("a.png"))
	assert.Equal(t, ".aedat .bin .bs2 .dat .npy .raw .txt", strings.Join(Extensions(), " "))
}

func FuzzDecode(f *testing.F) {
	list := drawn(3, 20, 34, 34, 1000)
	aer, _ := EncodeAER(list)
	for _, seed := range []struct {
		name    string
		content []byte
	}{
		{"a.bin", aer}, {"a.aedat", aedat(list)}, {"a.dat", dat(list, "% Width 34\n% Height 34\n")}, {"a.raw", evt2(list)}, {"a.raw", evt3(list)},
		{"a.txt", text(list)},
		{"a.npy", append([]byte("\x93NUMPY\x01\x00\x40\x00{'descr': '|u1', 'fortran_order': True, 'shape': (2, 4), }      \n"), 1, 2, 3, 4, 5, 6, 1, 0)},
		{"a.npy", []byte("\x93NUMPY\x01\x00\x60\x00{'descr': [('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')], 'fortran_order': False, 'shape': (1,), }\n0000000000000")},
	} {
		f.Add(seed.name, seed.content, 34, 34)
		f.Add(seed.name, seed.content, 0, 0)
	}
	f.Fuzz(func(t *testing.T, name string, content []byte, width, height int) {
		r, err := Decode(name, content, Options{Width: width, Height: height})
		if err != nil {
			if !strings.Contains(err.Error(), ErrFormat.Error()) {
				t.Fatalf("not an ErrFormat: %v", err)
			}
			return
		}
		if len(r.Events) == 0 || r.Duration() < 0 {
			t.Fatalf("%d events, %d us", len(r.Events), r.Duration())
		}
		last := r.Events[0].T
		for _, e := range r.Events {
			if int(e.X) >= r.Width || int(e.Y) >= r.Height || e.T < last {
				t.Fatalf("%+v after %v on a sensor of %v x %v", e, last, r.Width, r.Height)
			}
			last = e.T
		}
		for _, kind := range []Kind{Binary, Counts, Ternary} {
			s := Stacks{Steps: 3, Slice: ByTime, Kind: kind, Size: 16}
			c, h, w := s.Shape(r.Width, r.Height)
			if err := s.Make(make([]byte, 3*c*h*w), r); err != nil {
				t.Fatal(err)
			}
		}
	})
}
