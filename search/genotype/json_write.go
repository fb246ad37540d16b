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
	b.WriteString("{\n")
	fmt.Fprintf(&b, "  \"format\": %s,\n", quote(formatName))
	fmt.Fprintf(&b, "  \"version\": %d,\n", g.Version)
	fmt.Fprintf(&b, "  \"name\": %s,\n", quote(g.Name))
	if g.Origin != "" {
		fmt.Fprintf(&b, "  \"origin\": %s,\n", quote(g.Origin))
	}
	fmt.Fprintf(&b, "  \"downsample\": %s,\n", quote(string(g.Downsample)))
	fmt.Fprintf(&b, "  \"ops\": %s,\n", list(g.Ops, quote))
	if len(g.Path) > 0 {
		fmt.Fprintf(&b, "  \"path\": %s,\n", list(g.Path, func(level int) string { return fmt.Sprint(level) }))
	}
	g.Normal.encode(&b, "normal")
	if g.Reduction != nil {
		b.WriteString(",\n")
		g.Reduction.encode(&b, "reduction")
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

// MarshalJSON implements json.Marshaler, so that a genotype can be a part of a
// larger document.
func (g Genotype) MarshalJSON() ([]byte, error) { return g.Encode() }

func (c Cell) encode(b *bytes.Buffer, name string) {
	fmt.Fprintf(b, "  %s: {\n    \"nodes\": %d,\n    \"edges\": [\n", quote(name), c.Nodes)
	for i, e := range c.Edges {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(b, "      {\"node\": %d, \"edge\": %d, \"from\": %s, \"op\": %s}",
			e.Node(), e.Index, quote(e.Source().String()), quote(e.Op.String()))
	}
	b.WriteString("\n    ]\n  }")
}

func list[T any](items []T, format func(T) string) string {
	var b bytes.Buffer
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(format(item))
	}
	return "[" + b.String() + "]"
}

// quote returns a JSON string that keeps <, > and & readable.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
