package stereo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMersenneIsCPythons(t *testing.T) {
	// random.seed(0); [random.getrandbits(32) for _ in range(5)], and for seed 5489.
	m := newMersenne(0)
	for _, want := range []uint32{3626764237, 1654615998, 3255389356, 3823568514, 1806341205} {
		require.Equal(t, want, m.uint32())
	}
	list := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	newMersenne(0).shuffle(list) // random.seed(0); random.shuffle(list)
	require.Equal(t, []int{7, 8, 1, 5, 3, 4, 2, 0, 9, 6}, list)
}

func TestMVSECParts(t *testing.T) {
	for split, want := range map[int]struct {
		train, test int
		first       []int
	}{
		1: {3110, 861, []int{194, 1061, 877, 165, 419}},
		2: {2870, 1101, []int{1110, 1202, 219, 599, 665}},
		3: {2600, 1343, []int{492, 843, 87, 227, 1507}},
	} {
		p, err := MVSECParts(split)
		require.NoError(t, err)
		require.Len(t, p.Train, want.train)
		require.Len(t, p.Validation, 200)
		require.Len(t, p.Test, want.test)
		for i, index := range want.first {
			require.Equal(t, Frame{fmt.Sprintf("indoor_flying_%d", split), index}, p.Validation[i])
		}
		seen := map[Frame]bool{}
		for _, f := range append(append(append([]Frame{}, p.Train...), p.Validation...), p.Test...) {
			require.False(t, seen[f], "%v is in two parts", f)
			seen[f] = true
		}
	}
	_, err := MVSECParts(4)
	require.ErrorContains(t, err, "split 4: choose 1, 2 or 3")
}

// TestMVSECPartsAreTheFullLists compares every index with the lists that CPython made.
func TestMVSECPartsAreTheFullLists(t *testing.T) {
	shared := os.Getenv("SPIKEDHS_SHARED")
	if shared == "" {
		t.Skip("SPIKEDHS_SHARED names no folder with spec/mvsec_splits.json")
	}
	text, err := os.ReadFile(filepath.Join(shared, "spec", "mvsec_splits.json"))
	if err != nil {
		t.Skip(err)
	}
	var lists map[int]struct{ Val, Test []int }
	require.NoError(t, json.Unmarshal(text, &lists))
	require.Len(t, lists, 3)
	for split, want := range lists {
		p, err := MVSECParts(split)
		require.NoError(t, err)
		indices := func(frames []Frame) (list []int) {
			for _, f := range frames {
				list = append(list, f.Index)
			}
			return list
		}
		require.Equal(t, want.Val, indices(p.Validation))
		require.Equal(t, want.Test, indices(p.Test))
	}
}

func TestHalves(t *testing.T) {
	p, err := MVSECParts(1)
	require.NoError(t, err)
	a, b := Halves(p.Train, 0)
	require.Equal(t, len(p.Train), len(a)+len(b))
	require.InDelta(t, len(a), len(b), 200)
	inA := map[Frame]bool{}
	for _, f := range a {
		inA[f] = true
	}
	for _, f := range b {
		require.False(t, inA[f])
	}
	// No block of either is shorter than 50 frames.
	for _, half := range [][]Frame{a, b} {
		run := 1
		for i := 1; i <= len(half); i++ {
			if i < len(half) && half[i].Sequence == half[i-1].Sequence && half[i].Index == half[i-1].Index+1 {
				run++
				continue
			}
			require.GreaterOrEqual(t, run, 50)
			run = 1
		}
	}
	a, b = Halves([]Frame{{"x", 0}, {"x", 1}, {"x", 2}, {"y", 0}, {"y", 1}}, 2)
	require.Equal(t, []string{"x/0", "x/1", "x/2"}, frameNames(a))
	require.Equal(t, []string{"y/0", "y/1"}, frameNames(b))
}
