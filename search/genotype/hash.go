package genotype

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// hashLength is the number of hexadecimal digits that Hash returns.
const hashLength = 12

// Hash identifies the wiring: 12 hexadecimal digits of the SHA-256 of its
// canonical form, which holds the cells, how a chain of them lowers its resolution,
// and the paths or recorded levels. It leaves out name, origin and candidate list,
// and orders the edges of a node by number, since their sum does not depend on the
// order.
func (g Genotype) Hash() string {
	sum := sha256.Sum256([]byte(g.canonical()))
	return hex.EncodeToString(sum[:])[:hashLength]
}

// canonical is one line a fact. Changing it changes every stored hash.
func (g Genotype) canonical() string {
	var b strings.Builder
	chain := g.Has(Normal)
	if chain {
		fmt.Fprintf(&b, "downsample %s\n", g.Downsample())
	}
	for _, n := range g.Subnets {
		n.Cell.writeCanonical(&b, n.Name)
		if !chain {
			fmt.Fprintf(&b, "path %d\n", n.Path)
		}
	}
	// The one path of a chain stands behind all its cells.
	if levels := g.Subnet(Normal).levels(); len(levels) > 0 {
		fmt.Fprintf(&b, "path %d\n", levels)
	}
	return b.String()
}

// levels are those of the path, or the recorded ones.
func (n Subnet) levels() []int {
	if len(n.Path) > 0 {
		return n.Path
	}
	return n.Levels
}

func (c Cell) writeCanonical(b *strings.Builder, name string) {
	edges := slices.Clone(c.Edges)
	slices.SortFunc(edges, func(x, y Edge) int { return x.Index - y.Index })
	fmt.Fprintf(b, "%s %d\n", name, c.Nodes)
	for _, e := range edges {
		fmt.Fprintf(b, "%d %s\n", e.Index, e.Op)
	}
}
