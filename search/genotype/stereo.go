package genotype

// PresetStereo is the published stereo genotype, 0.87 M parameters at width 8.
const PresetStereo = "spikedhs-stereo"

func presetStereo() Genotype {
	return Genotype{
		Name:   PresetStereo,
		Origin: "published cells and paths of SpikeDHS-Stereo (NeurIPS 2022), split 1 of MVSEC",
		Subnets: []Subnet{
			{Name: "feature", Cell: PublishedFeature(), Path: []int{1, 0}},
			{Name: "matching", Cell: PublishedMatching(), Path: []int{1, 2, 2, 1}},
		},
		Ops: OpNames(),
	}
}

const stereoFormatName = "spikedhs-stereo-genotype"

// stereo is the document that was the format of stereo genotypes of its own: two
// subnets with a path each.
type stereo struct {
	head
	Ops      []string     `json:"ops"`
	Feature  stereoSubnet `json:"feature"`
	Matching stereoSubnet `json:"matching"`
}

type stereoSubnet struct {
	Path []int `json:"path"`
	Cell cell  `json:"cell"`
}

func (d *stereo) genotype() (Genotype, error) {
	g := d.head.with(d.Ops)
	for _, n := range []struct {
		name string
		stereoSubnet
	}{{"feature", d.Feature}, {"matching", d.Matching}} {
		c, err := n.Cell.cell(n.name)
		if err != nil {
			return g, err
		}
		g.Subnets = append(g.Subnets, Subnet{Name: n.name, Cell: c, Path: n.Path})
	}
	return g, nil
}
