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
