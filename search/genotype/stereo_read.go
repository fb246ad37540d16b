package genotype

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

const stereoFormatName = "spikedhs-stereo-genotype"

// PresetStereo is the published stereo genotype, 0.87 M parameters at width 8.
const PresetStereo = "spikedhs-stereo"

var stereoPresets = map[string]func() Stereo{
	PresetStereo: func() Stereo {
		return Stereo{
			Version:  StereoFormatVersion,
			Name:     PresetStereo,
			Origin:   "published cells and paths of SpikeDHS-Stereo (NeurIPS 2022), split 1 of MVSEC",
			Feature:  Subnet{Cell: PublishedFeature(), Path: []int{1, 0}},
			Matching: Subnet{Cell: PublishedMatching(), Path: []int{1, 2, 2, 1}},
			Ops:      OpNames(),
		}
	},
}

// StereoPresets lists the names of the stereo presets in alphabetical order.
func StereoPresets() []string { return slices.Sorted(maps.Keys(stereoPresets)) }

// StereoPreset returns a stereo genotype that comes with the package.
func StereoPreset(name string) (Stereo, error) {
	build, ok := stereoPresets[name]
	if !ok {
		return Stereo{}, fmt.Errorf("%w: preset: %q is unknown; use one of %s", ErrInvalid, name, strings.Join(StereoPresets(), ", "))
	}
	return build(), nil
}

// ParseStereo reads a stereo genotype from its JSON form and validates it, with
// the strictness of Parse.
func ParseStereo(data []byte) (Stereo, error) {
	g, err := parseStereo(data)
	if err != nil {
		return Stereo{}, err
	}
	if err := g.Validate(); err != nil {
		return Stereo{}, err
	}
	return g, nil
}

// UnmarshalJSON implements json.Unmarshaler with the strictness of ParseStereo.
func (g *Stereo) UnmarshalJSON(data []byte) error {
	parsed, err := ParseStereo(data)
	if err != nil {
		return err
	}
	*g = parsed
	return nil
}

func parseStereo(data []byte) (g Stereo, err error) {
	o, err := readDocument(data)
	if err != nil {
		return g, err
	}
	format, err := o.text("format")
	if err != nil {
		return g, err
	}
	if format != stereoFormatName {
		return g, invalid(o.at("format"), "%q is not a stereo genotype; give a file whose format is %q", format, stereoFormatName)
	}
	if g.Version, err = o.integer("version"); err != nil {
		return g, err
	}
	if g.Version != StereoFormatVersion {
		return g, Stereo{Version: g.Version}.Validate()
	}
	if err = o.only("format", "version", "name", "origin", "ops", "feature", "matching"); err != nil {
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
	if g.Ops, err = items(o, "ops", readText); err != nil {
		return g, err
	}
	if g.Feature, err = readSubnet(o, "feature"); err != nil {
		return g, err
	}
	g.Matching, err = readSubnet(o, "matching")
	return g, err
}

func readSubnet(root object, name string) (n Subnet, err error) {
	raw, err := root.value(name)
	if err != nil {
		return n, err
	}
	o, err := readObject(root.at(name), raw)
	if err != nil {
		return n, err
	}
	if err := o.only("path", "cell"); err != nil {
		return n, err
	}
	if n.Path, err = items(o, "path", readInteger); err != nil {
		return n, err
	}
	n.Cell, err = readCell(o, "cell")
	return n, err
}

// LoadStereo reads a stereo genotype from a JSON file.
func LoadStereo(path string) (Stereo, error) {
	data, err := readFile(path)
	if err != nil {
		return Stereo{}, err
	}
	g, err := ParseStereo(data)
	if err != nil {
		return Stereo{}, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// ResolveStereo returns the stereo genotype that a user means by a preset name or
// the path of a JSON file. A file named like a preset can be given as ./NAME.
func ResolveStereo(nameOrPath string) (Stereo, error) {
	if slices.Contains(StereoPresets(), nameOrPath) {
		return StereoPreset(nameOrPath)
	}
	g, err := LoadStereo(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return Stereo{}, fmt.Errorf("genotype %q: %w; give a JSON file or a preset: %s",
			nameOrPath, fs.ErrNotExist, strings.Join(StereoPresets(), ", "))
	}
	return g, err
}
