package genotype

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// StereoFormatVersion is the version of the stereo format that this package
// writes and the newest that it reads.
const StereoFormatVersion = 1

// Subnet is the searched half of a stereo network: one cell, repeated along a
// path through the trellis of resolution levels.
type Subnet struct {
	// Cell is the wiring of all cells.
	Cell Cell
	// Path holds the level of every cell's output, one entry a cell: level l has
	// 1/2^l of the resolution of level 0. It starts at level 0 or 1 and moves by
	// at most one from cell to cell, either way.
	Path []int
}

// Stereo is a searched stereo architecture: the feature network over the two
// views and the matching network over the feature volume.
type Stereo struct {
	// Version is the format version.
	Version int
	// Name is a short one-line title.
	Name string
	// Origin tells in one line where it comes from; it may be empty.
	Origin string
	// Feature works in two dimensions, Matching in three.
	Feature, Matching Subnet
	// Ops names the candidate operations of the search.
	Ops []string
}

// NewStereo returns a valid stereo genotype over all candidate operations.
func NewStereo(name string, feature, matching Subnet) (Stereo, error) {
	g := Stereo{
		Version: StereoFormatVersion, Name: name, Ops: OpNames(),
		Feature: feature.clone(), Matching: matching.clone(),
	}
	return g, g.Validate()
}

func (n Subnet) clone() Subnet {
	return Subnet{Cell: n.Cell.clone(), Path: append([]int(nil), n.Path...)}
}

// Validate reports the first fault as a one-line error that wraps ErrInvalid and
// names the place as a JSON path.
func (g Stereo) Validate() error {
	switch {
	case g.Version > StereoFormatVersion:
		return invalid("version", "%d was written by a newer version of SpikeDHS, this one reads up to %d; update SpikeDHS",
			g.Version, StereoFormatVersion)
	case g.Version < 1:
		return invalid("version", "%d does not exist; write %d", g.Version, StereoFormatVersion)
	}
	shared := Genotype{Name: g.Name, Origin: g.Origin, Ops: g.Ops}
	if err := shared.checkTexts(); err != nil {
		return err
	}
	if err := shared.checkOps(); err != nil {
		return err
	}
	for _, n := range g.subnets() {
		if err := shared.checkCell(n.name+".cell", n.subnet.Cell); err != nil {
			return err
		}
		if len(n.subnet.Path) == 0 {
			return invalid(n.name+".path", "empty; list the level of every cell's output")
		}
		if err := checkLevels(n.name+".path", n.subnet.Path); err != nil {
			return err
		}
	}
	return nil
}

// namedSubnet is a subnet with the words that files and drawings use for it.
type namedSubnet struct {
	name, title string
	subnet      Subnet
}

func (g Stereo) subnets() []namedSubnet {
	return []namedSubnet{
		{"feature", "feature network (2-D)", g.Feature},
		{"matching", "matching network (3-D)", g.Matching},
	}
}

// Hash identifies the wiring: 12 hexadecimal digits of the SHA-256 of its
// canonical form, which leaves out names and the order of a node's edges.
func (g Stereo) Hash() string {
	var b strings.Builder
	for _, n := range g.subnets() {
		n.subnet.Cell.writeCanonical(&b, n.name)
		fmt.Fprintf(&b, "path %d\n", n.subnet.Path)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])[:hashLength]
}

// StereoText returns the genotype as lines for people: name, paths, and the
// equations of the nodes.
func StereoText(g Stereo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", g.Name, g.summary())
	for _, n := range g.subnets() {
		fmt.Fprintf(&b, "%s, path %d\n", n.title, n.subnet.Path)
		n.subnet.Cell.writeText(&b, "  ")
	}
	return b.String()
}

func (g Stereo) summary() string {
	return fmt.Sprintf("feature path %d, matching path %d, hash %s", g.Feature.Path, g.Matching.Path, g.Hash())
}

// Encode returns the genotype as readable JSON that ParseStereo reads back. It
// fails if the genotype is invalid.
func (g Stereo) Encode() ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("{\n")
	fmt.Fprintf(&b, "  \"format\": %s,\n", quote(stereoFormatName))
	fmt.Fprintf(&b, "  \"version\": %d,\n", g.Version)
	fmt.Fprintf(&b, "  \"name\": %s,\n", quote(g.Name))
	if g.Origin != "" {
		fmt.Fprintf(&b, "  \"origin\": %s,\n", quote(g.Origin))
	}
	fmt.Fprintf(&b, "  \"ops\": %s", list(g.Ops, quote))
	for _, n := range g.subnets() {
		fmt.Fprintf(&b, ",\n  %s: {\n    \"path\": %s,\n", quote(n.name),
			list(n.subnet.Path, func(level int) string { return fmt.Sprint(level) }))
		var cell bytes.Buffer
		n.subnet.Cell.encode(&cell, "cell")
		b.WriteString(strings.ReplaceAll("  "+cell.String(), "\n", "\n  "))
		b.WriteString("\n  }")
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

// MarshalJSON implements json.Marshaler.
func (g Stereo) MarshalJSON() ([]byte, error) { return g.Encode() }

// Save writes the genotype to a JSON file, in one step.
func (g Stereo) Save(path string) error {
	data, err := g.Encode()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return replaceFile(path, data)
}

// StereoSVG writes a drawing of the genotype: for each subnet its path through
// the trellis and its cell.
func StereoSVG(w io.Writer, g Stereo) error {
	if err := g.Validate(); err != nil {
		return err
	}
	var b bytes.Buffer
	newStereoPage(g).write(&b)
	_, err := w.Write(b.Bytes())
	return err
}
