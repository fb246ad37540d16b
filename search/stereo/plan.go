package stereo

// step is what one cell of a decoded path reads and makes: its levels and
// channels. Cell i+1 reads the input s1 and the output of cell i, both brought
// to the cell's grid.
type step struct {
	level    int
	channels int // of one node
	s0, s1   feature
}

// feature is a tensor between cells.
type feature struct{ level, channels int }

// plan lays the cells of a path out. The two first features are those of the
// stems, at level 0.
func plan(path []int, width, nodes, stem0, stem1 int) []step {
	s0, s1 := feature{0, stem0}, feature{0, stem1}
	list := make([]step, len(path))
	for i, level := range path {
		list[i] = step{level: level, channels: width << level, s0: s0, s1: s1}
		s0, s1 = s1, feature{level, nodes * width << level}
	}
	return list
}
