package genotype

import (
	"fmt"
	"strings"
)

// Text returns the genotype as lines for people, such as
//
//	n0 = b3(s1) + b3(s0)
//
// under a line with its name and hash; several subnets under a heading each.
func Text(g Genotype) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", g.Name, g.summary())
	indent := ""
	for _, n := range g.Subnets {
		if len(g.Subnets) > 1 {
			b.WriteString(n.Heading() + "\n")
			indent = "  "
		}
		n.Cell.writeText(&b, indent)
	}
	return b.String()
}

// Heading is what drawings and reports call a subnet: "normal cell", or "feature
// network, path 1 0".
func (n Subnet) Heading() string {
	if n.Name == Normal || n.Name == Reduction {
		return n.Name + " cell"
	}
	return n.Name + " network, path " + plain(n.Path)
}

// plain is a list of numbers without brackets.
func plain(list []int) string { return strings.Trim(fmt.Sprint(list), "[]") }

func (c Cell) writeText(b *strings.Builder, indent string) {
	for _, line := range c.Equations() {
		b.WriteString(indent + line + "\n")
	}
	var names []string
	for node := range c.Nodes {
		names = append(names, nodeName(node))
	}
	b.WriteString(indent + "out = concat(" + strings.Join(names, ", ") + ")\n")
}

// summary is one line of facts for headings.
func (g Genotype) summary() string {
	var facts []string
	if g.Has(Normal) {
		facts = []string{fmt.Sprintf("%d nodes", g.Normal().Nodes), "downsample " + string(g.Downsample())}
		if g.Normal().Nodes == 1 {
			facts[0] = "1 node"
		}
	}
	for _, n := range g.Subnets {
		switch {
		case n.Name == Reduction:
		case n.Name != Normal:
			facts = append(facts, n.Name+" path "+plain(n.Path))
		case len(n.levels()) > 0:
			facts = append(facts, "path "+plain(n.levels()))
		}
	}
	return strings.Join(append(facts, "hash "+g.Hash()), ", ")
}
