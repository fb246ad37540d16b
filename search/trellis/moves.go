package trellis

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Levels is the number of resolution levels.
const Levels = 4

// Move leads from a level to the next layer's.
type Move int

// The moves, numbered as in beta.
const (
	Up   Move = iota // to the finer level s-1
	Same             // to level s
	Down             // to the coarser level s+1
	Moves
)

// Space is what a search chooses a path from: so many layers, and the finest so many
// of the four levels, from 1 to [Levels]. The paper's have all four; small pictures
// leave nothing to see at the coarsest.
type Space struct{ Layers, Levels int }

// Full is the space of the paper: so many layers on all levels.
func Full(layers int) Space { return Space{layers, Levels} }

// ErrSpace is the cause of an error about a space without paths.
var ErrSpace = errors.New("invalid trellis")

// Validate checks the numbers of layers and of levels.
func (t Space) Validate() error {
	if t.Layers < 1 || t.Levels < 1 || t.Levels > Levels {
		return fmt.Errorf("%w: %d layers on %d levels, want at least 1 on 1 to %d", ErrSpace, t.Layers, t.Levels, Levels)
	}
	return nil
}

// Target is the level that a move from level s leads to; ok is false where there
// is none.
func (t Space) Target(m Move, s int) (to int, ok bool) {
	to = s + int(m) - int(Same)
	return to, s < t.Levels && to >= 0 && to < t.Levels
}

// Sources is the number of levels that can be a source of layer l: levels 0 to l.
func (t Space) Sources(l int) int { return min(l+1, t.Levels) }

// Cell is one cell of the trellis: the move that it computes in a layer.
type Cell struct {
	Layer    int
	From, To int // levels
	Move     Move
}

// S0 tells whether level c.To has an output from before the last layer, which a cell
// takes for s0: level s has one since layer s-1, level 0 from the start.
func (c Cell) S0() bool { return c.Layer > c.To || c.To == 0 }

// Cells lists the cells of the trellis, layer by layer, by the level they lead to
// and then by where they come from, the finer level first.
func (t Space) Cells() []Cell {
	var list []Cell
	for l := range t.Layers {
		for to := range t.Sources(l + 1) {
			for m := Down; m >= Up; m-- {
				from := to - int(m) + int(Same)
				if from >= 0 && from < t.Sources(l) {
					list = append(list, Cell{l, from, to, m})
				}
			}
		}
	}
	return list
}

// Beta are numbers for all moves, [layer][level][move]: logits or probabilities.
// Those of moves that do not exist have no meaning.
type Beta [][Levels][Moves]float64

// ErrBeta is the cause of an error about numbers that cannot be decoded.
var ErrBeta = errors.New("beta cannot be decoded")

// moves are those from level s. Their probabilities sum to share: 1/3 a move, so 2/3 at
// the finest and the coarsest level.
func (t Space) moves(s int) (list []Move, share float64) {
	for m := range Moves {
		if _, ok := t.Target(m, s); ok {
			list = append(list, m)
		}
	}
	return list, float64(len(list)) / float64(Moves)
}

// Probabilities are P of the logits beta, one for each layer of the space: the softmax
// over the moves out of each place, times 2/3 at the finest and the coarsest level.
func (t Space) Probabilities(b Beta) (Beta, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	if len(b) != t.Layers {
		return nil, fmt.Errorf("%w: %d layers of numbers for %d layers", ErrBeta, len(b), t.Layers)
	}
	p := make(Beta, len(b))
	for l := range b {
		for s := range t.Sources(l) {
			moves, share := t.moves(s)
			top, sum := math.Inf(-1), 0.0
			for _, m := range moves {
				v := b[l][s][m]
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("%w: [%d][%d][%d]: %v is not finite; the search has diverged, lower its learning rate",
						ErrBeta, l, s, m, v)
				}
				top = max(top, v)
			}
			for _, m := range moves {
				p[l][s][m] = math.Exp(b[l][s][m] - top)
				sum += p[l][s][m]
			}
			for _, m := range moves {
				p[l][s][m] *= share / sum
			}
		}
	}
	return p, nil
}

// Decode finds the path with the largest product of the probabilities of its
// moves: the level of each layer's output. b are logits. Of equal paths the one
// at the finer levels is taken.
func (t Space) Decode(b Beta) (path []int, probability float64, err error) {
	p, err := t.Probabilities(b)
	if err != nil {
		return nil, 0, err
	}
	type way struct {
		path        []int
		probability float64
	}
	ends := Run(t, []way{{nil, 1}}, Network[way]{
		Cell: func(_ Cell, _, s1 Feature[way]) way { return s1.Value },
		Join: func(cells []Cell, ways []way) way {
			best := way{probability: -1}
			for i, c := range cells {
				if v := ways[i].probability * p[c.Layer][c.From][c.Move]; v > best.probability {
					best = way{append(slices.Clone(ways[i].path), c.To), v}
				}
			}
			return best
		},
	})
	best := ends[0].Value
	for _, end := range ends {
		if end.OK && end.Value.probability > best.probability {
			best = end.Value
		}
	}
	return best.path, best.probability, nil
}
