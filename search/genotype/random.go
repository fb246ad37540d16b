package genotype

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Random draws a genotype of the search space: every node takes two distinct
// incoming edges and each edge one operation, all equally likely, in the normal
// cell and, with [DownsampleReduction], in the reduction cell. The edges of a node
// are in the order of their numbers. nodes is 1 to [MaxNodes].
//
// Random genotypes are what a search has to beat: the decoder of [DecodeCell] keeps
// cells of this form and no other.
func Random(rng *rand.Rand, nodes int, d Downsample, ops ...Op) (Genotype, error) {
	if err := checkNodes("nodes", nodes); err != nil {
		return Genotype{}, err
	}
	normal := drawCell(rng, nodes, over(ops))
	switch d {
	case DownsampleReduction:
		reduction := drawCell(rng, nodes, over(ops))
		return New("random", normal, &reduction)
	case DownsampleNearest:
		return New("random", normal, nil)
	}
	return Genotype{}, unknownDownsample(d)
}

func drawCell(rng *rand.Rand, nodes int, ops []Op) Cell {
	c := Cell{Nodes: nodes}
	for node := range nodes {
		first := Edges(node)
		kept := rng.Perm(Edges(node+1) - first)[:EdgesPerNode]
		slices.Sort(kept)
		for _, k := range kept {
			c.Edges = append(c.Edges, Edge{Index: first + k, Op: ops[rng.IntN(len(ops))]})
		}
	}
	return c
}

// RandomSet draws n genotypes as [Random] does, of which no two have the same
// [Genotype.Hash]. They are named random-01, random-02 and so on, and depend on the
// seed alone: a larger n begins with the genotypes of a smaller one. It fails where
// the space has fewer than n.
func RandomSet(seed uint64, n, nodes int, d Downsample, ops ...Op) ([]Genotype, error) {
	return randomSet(seed, n, func(rng *rand.Rand) (Genotype, error) { return Random(rng, nodes, d, ops...) },
		fmt.Sprintf("%d node(s) and %q", nodes, d))
}

// RandomOnPath draws a genotype of the space of a search of layers: a cell as
// [Random] does, and a path of one level for each of the layers, on which every
// move that there is, up, down or none, is equally likely. levels is how many there
// are, the finest first, 1 to 4.
func RandomOnPath(rng *rand.Rand, nodes, layers, levels int, ops ...Op) (Genotype, error) {
	if err := checkNodes("nodes", nodes); err != nil {
		return Genotype{}, err
	}
	if levels < 1 || levels > MaxLevel+1 {
		return Genotype{}, fmt.Errorf("genotype: paths on %d levels, want 1 to %d: %w", levels, MaxLevel+1, ErrInvalid)
	}
	cell, level := drawCell(rng, nodes, over(ops)), 0
	path := make([]int, max(layers, 0))
	for i := range path {
		lowest := max(level-1, 0)
		level = lowest + rng.IntN(min(level+1, levels-1)-lowest+1)
		path[i] = level
	}
	return NewOnPath("random", cell, path)
}

// RandomSetOnPath is [RandomSet] of genotypes as [RandomOnPath] draws them.
func RandomSetOnPath(seed uint64, n, nodes, layers, levels int, ops ...Op) ([]Genotype, error) {
	return randomSet(seed, n, func(rng *rand.Rand) (Genotype, error) { return RandomOnPath(rng, nodes, layers, levels, ops...) },
		fmt.Sprintf("%d node(s) and %d layer(s) on %d level(s)", nodes, layers, levels))
}

// randomSet draws until there are n; space says in words what it draws from.
func randomSet(seed uint64, n int, draw func(*rand.Rand) (Genotype, error), space string) ([]Genotype, error) {
	// Of small spaces the last members are rare draws; this many in a row without a
	// new one happen in none that has one left, for all practical purposes.
	const most = 10_000
	rng := rand.New(rand.NewPCG(seed, 0))
	digits := max(2, len(fmt.Sprint(n)))
	var set []Genotype
	seen := map[string]bool{}
	for misses := 0; len(set) < n; {
		g, err := draw(rng)
		if err != nil {
			return nil, err
		}
		if seen[g.Hash()] {
			if misses++; misses > most {
				return nil, invalid("random", "%d genotypes wanted, but with %s there are only %d; ask for fewer, or for more nodes",
					n, space, len(set))
			}
			continue
		}
		misses, seen[g.Hash()] = 0, true
		g.Name = fmt.Sprintf("random-%0*d", digits, len(set)+1)
		g.Origin = fmt.Sprintf("drawn at random, number %d of seed %d", len(set)+1, seed)
		set = append(set, g)
	}
	return set, nil
}
