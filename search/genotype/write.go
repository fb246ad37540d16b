package genotype

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	fmt.Fprintf(&b, "  \"ops\": %s,\n  \"subnets\": [\n", text(g.Ops))
	for i, n := range g.Subnets {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "    {\n      \"name\": %s,\n", text(n.Name))
		if len(n.Path) > 0 {
			fmt.Fprintf(&b, "      \"path\": %s,\n", text(n.Path))
		}
		if len(n.Levels) > 0 {
			fmt.Fprintf(&b, "      \"levels\": %s,\n", text(n.Levels))
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

// text is JSON on one line that keeps <, > and & readable; lists have a blank behind
// each comma.
func text(value any) string {
	switch list := value.(type) {
	case []string:
		return join(list)
	case []int:
		return join(list)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic(err) // strings and integers always encode
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

func join[T any](list []T) string {
	var b bytes.Buffer
	for i, item := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(text(item))
	}
	return "[" + b.String() + "]"
}
