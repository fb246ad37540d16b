package genotype

import "slices"

// A lane is a horizontal track that carries an edge past the columns between
// its ends. Positive lanes run above the row of nodes, negative ones below it,
// 1 and -1 being the nearest; 0 is an edge between neighbouring columns.
type lane int

// assignLanes chooses a lane for every edge of a cell so that no two edges share
// a stretch of one. Short edges get the near lanes, which nests the longer ones
// around them. Edges from s0 run above, from s1 below, others on the freer side.
func assignLanes(c Cell) []lane {
	lanes := make([]lane, len(c.Edges))
	var long []int
	for i, e := range c.Edges {
		if span(e) > 1 {
			long = append(long, i)
		}
	}
	slices.SortStableFunc(long, func(a, b int) int { return span(c.Edges[a]) - span(c.Edges[b]) })
	for k, i := range long {
		for lanes[i] == 0 || collides(c, lanes, long[:k], i) {
			lanes[i] = nextLane(lanes[i], c.Edges[i].Source())
		}
	}
	return lanes
}

func nextLane(l lane, src Source) lane {
	switch {
	case src == S0:
		return l + 1
	case src == S1:
		return l - 1
	case l > 0:
		return -l
	}
	return -l + 1
}

func collides(c Cell, lanes []lane, placed []int, i int) bool {
	for _, k := range placed {
		apart := columnOf(c.Edges[k].Source()) >= c.Edges[i].Node()+1 || columnOf(c.Edges[i].Source()) >= c.Edges[k].Node()+1
		if lanes[k] == lanes[i] && !apart {
			return true
		}
	}
	return false
}

// columnOf places both inputs in column 0 and node k in column k+1.
func columnOf(src Source) int {
	if k, ok := src.Node(); ok {
		return k + 1
	}
	return 0
}

func span(e Edge) int { return e.Node() + 1 - columnOf(e.Source()) }
