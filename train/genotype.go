package train

import (
	"fmt"
	"io"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/run"
)

// Names of the drawings beside genotype.json.
const (
	DrawingSVG = "genotype.svg"
	DrawingDOT = "genotype.dot"
)

// writeGenotype writes a genotype and its drawings into a run folder.
func writeGenotype(folder *run.Folder, g genotype.Genotype) error {
	if err := g.Save(folder.Path(run.GenotypeFile)); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	for name, draw := range map[string]func(io.Writer, genotype.Genotype) error{
		DrawingSVG: genotype.SVG, DrawingDOT: genotype.DOT,
	} {
		if err := folder.Write(name, func(w io.Writer) error { return draw(w, g) }); err != nil {
			return fmt.Errorf("train: draw genotype: %w", err)
		}
	}
	return nil
}
