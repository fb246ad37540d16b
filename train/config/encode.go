package config

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// heading begins what [Config.Encode] writes.
const heading = "# Configuration of a SpikeDHS run: every key and its value.\n"

// Encode writes every key with its value as TOML, in a fixed order, each under a
// comment that says what it means. Loading what it wrote gives an equal Config.
func (c *Config) Encode(w io.Writer) error {
	var out bytes.Buffer
	out.WriteString(heading)
	fields := c.fields()
	for _, s := range sections {
		fmt.Fprintf(&out, "\n# %s.\n[%s]\n", s.doc, s.name)
		for _, k := range keys {
			if k.Section() != s.name {
				continue
			}
			_, name, _ := strings.Cut(k.Name, ".")
			fmt.Fprintf(&out, "# %s\n%s = %s\n", k.comment(), name, render(fields[k.Name]))
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// comment returns one line about the key: meaning, unit, allowed values, default, source.
func (k Key) comment() string {
	parts := []string{k.Doc}
	if k.Unit != "" {
		parts[0] += " [" + k.Unit + "]"
	}
	if k.Allowed() != "" {
		parts = append(parts, "allowed: "+k.Allowed())
	}
	parts = append(parts, fmt.Sprintf("default: %s (%s)", k.Default(), k.Source))
	return strings.Join(parts, "; ")
}

// WriteReference writes a Markdown reference of every key, a table for each section.
func WriteReference(w io.Writer) error {
	var out bytes.Buffer
	for i, s := range sections {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "## [%s]\n\n%s.\n\n", s.name, s.doc)
		out.WriteString("| key | meaning | unit | allowed | default | source of the default |\n|---|---|---|---|---|---|\n")
		for _, k := range keys {
			if k.Section() == s.name {
				fmt.Fprintf(&out, "| `%s` | %s | %s | %s | `%s` | %s |\n", k.Name, k.Doc, k.Unit, k.Allowed(), k.Default(), k.Source)
			}
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}
