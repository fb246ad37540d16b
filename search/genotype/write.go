package genotype

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Encode returns the genotype as readable JSON, one edge a line, that Parse
// reads back. It fails if the genotype is invalid.
func (g Genotype) Encode() ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"format\": %s,\n  \"version\": %d,\n  \"name\": %s,\n", text(formatName), FormatVersion, text(g.Name))
	if g.Origin != "" {
		fmt.Fprintf(&b, "  \"origin\": %s,\n", text(g.Origin))
	}
	fmt.Fprintf(&b, "  \"ops\": [\"%s\"],\n  \"subnets\": [\n", strings.Join(g.Ops, `", "`)) // words
	for i, n := range g.Subnets {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "    {\n      \"name\": %s,\n", text(n.Name))
		if len(n.Path) > 0 {
			fmt.Fprintf(&b, "      \"path\": %s,\n", list(n.Path))
		}
		if len(n.Levels) > 0 {
			fmt.Fprintf(&b, "      \"levels\": %s,\n", list(n.Levels))
		}
		fmt.Fprintf(&b, "      \"cell\": {\n        \"nodes\": %d,\n        \"edges\": [\n", n.Cell.Nodes)
		for k, e := range n.Cell.Edges {
			if k > 0 {
				b.WriteString(",\n")
			}
			fmt.Fprintf(&b, "          {\"node\": %d, \"edge\": %d, \"from\": %s, \"op\": %s}",
				e.Node(), e.Index, text(e.Source().String()), text(e.Op.String()))
		}
		b.WriteString("\n        ]\n      }\n    }")
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes(), nil
}

// MarshalJSON implements json.Marshaler, so that a genotype can be a part of a
// larger document.
func (g Genotype) MarshalJSON() ([]byte, error) { return g.Encode() }

// list are numbers as JSON, with a blank behind each comma.
func list(numbers []int) string { return strings.Join(strings.Fields(fmt.Sprint(numbers)), ", ") }

// text is a string as JSON that keeps <, > and & readable.
func text(value string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic(err) // strings always encode
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
