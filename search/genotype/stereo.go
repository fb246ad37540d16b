package genotype

// PresetStereo is the published stereo genotype, 0.87 M parameters at width 8.
const PresetStereo = "spikedhs-stereo"

func init() {
	presets[PresetStereo] = func() Genotype {
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
	formats["spikedhs-stereo-genotype"] = []func() document{func() document { return &stereo{} }}
}

// PublishedMatching returns the published cell of the stereo matching network.
func PublishedMatching() Cell {
	return Cell{Nodes: 3, Edges: []Edge{{0, B3}, {1, B5}, {4, B5}, {3, B5}, {8, B3}, {6, B3}}}
}

// stereo is the document that was the format of stereo genotypes of its own: two
// subnets with a path each.
type stereo struct {
	head
	Ops      []string  `json:"ops"`
	Feature  onItsPath `json:"feature"`
	Matching onItsPath `json:"matching"`
}

type onItsPath struct {
	Path []int `json:"path"`
	Cell cell  `json:"cell"`
}

func (d *stereo) genotype() (Genotype, error) {
	return d.head.with(d.Ops,
		subnet{Name: "feature", Path: d.Feature.Path, Cell: d.Feature.Cell},
		subnet{Name: "matching", Path: d.Matching.Path, Cell: d.Matching.Cell})
}
