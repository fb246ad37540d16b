package genotype

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// DOT writes the genotype as a Graphviz digraph. The text depends on the
// genotype only, so that it can be compared and versioned.
func DOT(w io.Writer, g Genotype) error {
	if err := g.Validate(); err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "digraph %s {\n", quoteDOT(g.Name))
	fmt.Fprintf(&b, "  label=%s; labelloc=t; rankdir=LR; fontname=\"sans-serif\";\n", quoteDOT(g.Name+"\n"+g.summary()))
	b.WriteString("  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n")
	b.WriteString("  edge [fontname=\"sans-serif\"];\n")
	for _, n := range g.Subnets {
		fmt.Fprintf(&b, "  subgraph %s {\n", quoteDOT("cluster_"+n.Name))
		fmt.Fprintf(&b, "    label=%s;\n", quoteDOT(g.title(n)))
		n.Cell.writeDOT(&b, n.Name)
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

func (c Cell) writeDOT(b *bytes.Buffer, prefix string) {
	id := func(name string) string { return quoteDOT(prefix + "." + name) }
	declare := func(name string) { fmt.Fprintf(b, "    %s [label=%s];\n", id(name), quoteDOT(name)) }
	declare(S0.String())
	declare(S1.String())
	for node := range c.Nodes {
		declare(nodeName(node))
	}
	declare("out")
	for _, e := range c.Edges {
		color := opColor(e.Op)
		fmt.Fprintf(b, "    %s -> %s [label=%s, color=%q, fontcolor=%q];\n",
			id(e.Source().String()), id(nodeName(e.Node())), quoteDOT(e.Op.Label()), color, color)
	}
	for node := range c.Nodes {
		fmt.Fprintf(b, "    %s -> %s [color=%q];\n", id(nodeName(node)), id("out"), concatColor)
	}
}

// quoteDOT returns a quoted DOT string. A line break becomes the escape that
// Graphviz centres lines by; backslashes in the text stay themselves.
func quoteDOT(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
