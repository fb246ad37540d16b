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

// opColors are those of the paper's operations, then of registered ones in turn.
var opColors = []string{Skip: "#00775b", B3: "#0067a8", B5: "#b34700", 3: "#7a3db8", 4: "#a1195b", 5: "#6b5d00"}

func opColor(o Op) string {
	if !o.Published() {
		o = NumOps + (o-NumOps)%Op(len(opColors)-NumOps)
	}
	return opColors[o]
}
