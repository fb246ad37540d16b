package genotype

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

const (
	formatName   = "spikedhs-genotype"
	documentRoot = "document"
)

// Parse reads a genotype from its JSON form and validates it. Reading is
// strict: unknown fields, other versions and edges that contradict themselves
// are errors that wrap ErrInvalid and name the JSON path of the fault.
func Parse(data []byte) (Genotype, error) {
	g, err := parse(data)
	if err != nil {
		return Genotype{}, err
	}
	if err := g.Validate(); err != nil {
		return Genotype{}, err
	}
	return g, nil
}

// UnmarshalJSON implements json.Unmarshaler with the strictness of Parse.
func (g *Genotype) UnmarshalJSON(data []byte) error {
	parsed, err := Parse(data)
	if err != nil {
		return err
	}
	*g = parsed
	return nil
}

func parse(data []byte) (g Genotype, err error) {
	o, err := readDocument(data)
	if err != nil {
		return g, err
	}
	if g.Version, err = readVersion(o); err != nil {
		return g, err
	}
	err = o.only("format", "version", "name", "origin", "downsample", "ops", "path", "normal", "reduction")
	if err != nil {
		return g, err
	}
	if g.Name, err = o.text("name"); err != nil {
		return g, err
	}
	if o.has("origin") {
		if g.Origin, err = o.text("origin"); err != nil {
			return g, err
		}
	}
	downsample, err := o.text("downsample")
	if err != nil {
		return g, err
	}
	g.Downsample = Downsample(downsample)
	if g.Ops, err = items(o, "ops", readText); err != nil {
		return g, err
	}
	if o.has("path") {
		if g.Path, err = items(o, "path", readInteger); err != nil {
			return g, err
		}
	}
	if g.Normal, err = readCell(o, "normal"); err != nil {
		return g, err
	}
	if o.has("reduction") {
		reduction, err := readCell(o, "reduction")
		if err != nil {
			return g, err
		}
		g.Reduction = &reduction
	}
	return g, nil
}

func readDocument(data []byte) (object, error) {
	if !utf8.Valid(data) {
		return object{}, invalid(documentRoot, "not valid UTF-8; save the file as UTF-8")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return object{}, invalid(documentRoot, "not JSON at byte %d: %v; correct it there", syntax.Offset, syntax)
		}
		return object{}, invalid(documentRoot, "not JSON: %v; correct it", err)
	}
	return readObject(documentRoot, raw)
}

// readVersion runs before fields are checked by name, so that a file of a newer
// version is called newer and not malformed.
func readVersion(o object) (int, error) {
	format, err := o.text("format")
	if err != nil {
		return 0, err
	}
	if format != formatName {
		return 0, invalid(o.at("format"), "%q is not a genotype; give a file whose format is %q", format, formatName)
	}
	version, err := o.integer("version")
	if err != nil {
		return 0, err
	}
	return version, Genotype{Version: version}.checkVersion()
}

func readCell(root object, name string) (c Cell, err error) {
	raw, err := root.value(name)
	if err != nil {
		return c, err
	}
	o, err := readObject(root.at(name), raw)
	if err != nil {
		return c, err
	}
	if err := o.only("nodes", "edges"); err != nil {
		return c, err
	}
	if c.Nodes, err = o.integer("nodes"); err != nil {
		return c, err
	}
	if err := checkNodes(o.at("nodes"), c.Nodes); err != nil {
		return c, err
	}
	c.Edges, err = items(o, "edges", func(where string, raw json.RawMessage) (Edge, error) {
		return readEdge(where, raw, c.Nodes)
	})
	return c, err
}

// readEdge checks that the redundant fields node and from, which are there for
// people, agree with the number of the edge.
func readEdge(where string, raw json.RawMessage, nodes int) (e Edge, err error) {
	o, err := readObject(where, raw)
	if err != nil {
		return e, err
	}
	if err := o.only("node", "edge", "from", "op"); err != nil {
		return e, err
	}
	if e.Index, err = o.integer("edge"); err != nil {
		return e, err
	}
	opName, err := o.text("op")
	if err != nil {
		return e, err
	}
	if e.Op, err = parseOp(o.at("op"), opName); err != nil {
		return e, err
	}
	if err := e.check(where, nodes); err != nil {
		return e, err
	}
	node, err := o.integer("node")
	if err != nil {
		return e, err
	}
	if node != e.Node() {
		return e, invalid(o.at("node"), "%d, but edge %d leads to node %d; correct one of them", node, e.Index, e.Node())
	}
	from, err := o.text("from")
	if err != nil {
		return e, err
	}
	if from != e.Source().String() {
		return e, invalid(o.at("from"), "%q, but edge %d comes from %q; correct one of them", from, e.Index, e.Source())
	}
	return e, nil
}
