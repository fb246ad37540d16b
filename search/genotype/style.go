package genotype

// The colours of drawings. Operations are told apart by people with any common
// colour vision, and white text is readable on each of them.
const (
	concatColor = "#8a94a3"
	inkColor    = "#1f2933"
	mutedColor  = "#52606d"
	boxColor    = "#f5f7fa"
	boxStroke   = "#52606d"
)

var opColors = [NumOps]string{Skip: "#00775b", B3: "#0067a8", B5: "#b34700"}

func opColor(o Op) string { return opColors[o] }

// namedCell is a cell with the words that drawings use for it.
type namedCell struct {
	name, title string
	cell        Cell
}

func (g Genotype) cells() []namedCell {
	if g.Reduction == nil {
		return []namedCell{{"normal", "cell", g.Normal}}
	}
	return []namedCell{
		{"normal", "normal cell", g.Normal},
		{"reduction", "reduction cell (edges from s0 and s1 have stride 2)", *g.Reduction},
	}
}
