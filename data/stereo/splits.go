package stereo

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// Frame is one label of a data set and the events before it.
type Frame struct {
	// Sequence is the name of the sequence's folder.
	Sequence string
	// Index is the row in its timestamps.txt, from 0.
	Index int
}

// Parts are disjoint lists of frames.
type Parts struct {
	Train, Validation, Test []Frame
}

// SplitsFile is the file of a data set's folder that says which sequences are for
// training, validation and test.
const SplitsFile = "splits.json"

// Scenes names the sequences of the parts of a data set: [SplitsFile] holds it.
type Scenes struct {
	Train      []string `json:"train"`
	Validation []string `json:"validation"`
	Test       []string `json:"test"`
}

// WriteScenes writes the split of the data set in folder root.
func WriteScenes(root string, s Scenes) error { return WriteJSON(filepath.Join(root, SplitsFile), s) }

func readScenes(root string) (Scenes, error) {
	path := filepath.Join(root, SplitsFile)
	var s Scenes
	if err := ReadJSON(path, &s); errors.Is(err, fs.ErrNotExist) {
		return Scenes{}, missing("%s: a synthetic set has it; for MVSEC choose split 1, 2 or 3", path)
	} else if err != nil {
		return Scenes{}, err
	}
	seen := map[string]bool{}
	for _, name := range slices.Concat(s.Train, s.Validation, s.Test) {
		if seen[name] || !filepath.IsLocal(name) {
			return Scenes{}, malformed("%s: sequence %q is named twice or is not a folder beside it", path, name)
		}
		seen[name] = true
	}
	return s, nil
}

// ranges are the frames, first and last, of MVSEC's indoor_flying sequences that DDES
// trains on and, for the sequence that is held out, tests on.
var ranges = map[int]struct{ train, test [2]int }{
	1: {[2]int{80, 1259}, [2]int{140, 1200}},
	2: {[2]int{160, 1579}, [2]int{120, 1420}},
	3: {[2]int{125, 1814}, [2]int{73, 1615}},
}

// validationFrames is how many frames of the held-out sequence choose the model.
const validationFrames = 200

// MVSECParts are the frames of split 1, 2 or 3 of MVSEC's indoor_flying sequences, as
// DDES has them: the sequence of the split's number is held out, its test range is
// shuffled by CPython's random.seed(0), and the first 200 are for validation. Papers
// report splits 1 and 3. Validation and Test are in the shuffled order, Train in that
// of time.
func MVSECParts(split int) (Parts, error) {
	held, ok := ranges[split]
	if !ok {
		return Parts{}, fmt.Errorf("split %d: choose 1, 2 or 3: %w", split, errSplit)
	}
	var p Parts
	for k := 1; k <= len(ranges); k++ {
		if k == split {
			continue
		}
		for i := ranges[k].train[0]; i <= ranges[k].train[1]; i++ {
			p.Train = append(p.Train, Frame{mvsecSequence(k), i})
		}
	}
	var list []int
	for i := held.test[0]; i <= held.test[1]; i++ {
		list = append(list, i)
	}
	newMersenne(0).shuffle(list)
	for _, i := range list {
		p.Test = append(p.Test, Frame{mvsecSequence(split), i})
	}
	p.Validation, p.Test = p.Test[:validationFrames:validationFrames], p.Test[validationFrames:]
	return p, nil
}

var errSplit = errors.New("no such split")

func mvsecSequence(k int) string { return fmt.Sprintf("indoor_flying_%d", k) }

// Halves cuts training frames into two disjoint sets for bi-level search: blocks of
// block consecutive frames go to a and b in turn, since neighbouring frames are nearly
// the same. A rest below block at the end of a sequence joins the block before it. The
// default block, for 0, is 50. Frames keep their order.
func Halves(frames []Frame, block int) (a, b []Frame) {
	if block <= 0 {
		block = 50
	}
	halves, to := [2][]Frame{}, 0
	for len(frames) > 0 {
		n := 1 // frames of this sequence
		for n < len(frames) && frames[n].Sequence == frames[0].Sequence {
			n++
		}
		rest := frames[:n]
		frames = frames[n:]
		for len(rest) > 0 {
			size := block
			if len(rest) < 2*block {
				size = len(rest)
			}
			halves[to], to, rest = append(halves[to], rest[:size]...), 1-to, rest[size:]
		}
	}
	return halves[0], halves[1]
}

// mersenne is the generator MT19937 (Matsumoto and Nishimura 1998), seeded as CPython
// seeds it, since the published splits of MVSEC are CPython's random.seed(0) followed
// by random.shuffle.
type mersenne struct {
	state [624]uint32
	next  int
}

// newMersenne is random.seed(seed) for a seed below 2^32.
func newMersenne(seed uint32) *mersenne {
	m := &mersenne{}
	s := &m.state
	s[0] = 19650218
	for i := 1; i < len(s); i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	// init_by_array with the key [seed].
	i := 1
	step := func() {
		if i++; i == len(s) {
			s[0], i = s[len(s)-1], 1
		}
	}
	for range len(s) {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + seed
		step()
	}
	for range len(s) - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		step()
	}
	s[0] = 1 << 31
	m.next = len(s)
	return m
}

func (m *mersenne) uint32() uint32 {
	const middle = 397
	s := &m.state
	if m.next == len(s) {
		for i := range s {
			y := s[i]&(1<<31) | s[(i+1)%len(s)]&(1<<31-1)
			s[i] = s[(i+middle)%len(s)] ^ y>>1 ^ (y&1)*0x9908b0df
		}
		m.next = 0
	}
	y := s[m.next]
	m.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// below is a number in 0..n-1 as random.shuffle draws it: the top bits of a draw,
// drawn again until they are below n.
func (m *mersenne) below(n int) int {
	bits := 0
	for n>>bits > 0 {
		bits++
	}
	for {
		if v := int(m.uint32() >> (32 - bits)); v < n {
			return v
		}
	}
}

// shuffle is random.shuffle.
func (m *mersenne) shuffle(list []int) {
	for i := len(list) - 1; i > 0; i-- {
		j := m.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}
