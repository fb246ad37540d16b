package genotype

import (
	"fmt"
	"strings"
)

// Text returns the genotype as lines for people, such as
//
//	n0 = b3(s1) + b3(s0)
//
// under a line with its name and hash.
func Text(g Genotype) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", g.Name, g.summary())
	if g.Reduction == nil {
		g.Normal.writeText(&b, "")
		return b.String()
	}
	b.WriteString("normal cell\n")
	g.Normal.writeText(&b, "  ")
	b.WriteString("reduction cell\n")
	g.Reduction.writeText(&b, "  ")
	return b.String()
}

func (c Cell) writeText(b *strings.Builder, indent string) {
	for _, line := range c.Equations() {
		b.WriteString(indent + line + "\n")
	}
	names := make([]string, c.Nodes)
	for node := range names {
		names[node] = nodeName(node)
	}
	b.WriteString(indent + "out = concat(" + strings.Join(names, ", ") + ")\n")
}

// summary is one line of facts for headings.
func (g Genotype) summary() string {
	facts := []string{
		fmt.Sprintf("%d nodes", g.Normal.Nodes),
		"downsample " + string(g.Downsample),
	}
	if g.Normal.Nodes == 1 {
		facts[0] = "1 node"
	}
	if len(g.Path) > 0 {
		facts = append(facts, "path "+strings.Trim(fmt.Sprint(g.Path), "[]"))
	}
	return strings.Join(append(facts, "hash "+g.Hash()), ", ")
}
