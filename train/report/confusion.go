package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
)

// Sizes of a confusion matrix.
const (
	matrixSide   = 470.0 // that the cells together should take
	smallestCell = 8.0
	largestCell  = 46.0
	countCell    = 30.0 // from here on cells show their counts
	uprightCell  = 18.0 // below it the names of the columns stand upright
	barLength    = 170.0
	className    = 18 // characters of a class
	headRoom     = 30.0
	footRoom     = 26.0
)

// matrix is a drawing of a confusion matrix: rows are labels, columns predictions,
// and beside every row is a bar with the accuracy of its class.
type matrix struct {
	*drawing
	e           *evaluation
	cell, font  float64
	left, top   float64
	bars        float64 // where they begin
	longestName float64
	slope       float64 // of the names of the columns, in degrees
}

// drawConfusion returns the matrix, empty if there is none.
func drawConfusion(e *evaluation) template.HTML {
	n := len(e.Confusion)
	if n == 0 {
		return ""
	}
	m := matrix{e: e, cell: min(max(math.Floor(matrixSide/float64(n)), smallestCell), largestCell)}
	m.font = min(fontSize, m.cell*0.95)
	for i := range n {
		m.longestName = max(m.longestName, widthOf(fit(e.class(i), className))*m.font/fontSize)
	}
	m.left = headRoom + m.longestName + 10
	m.slope = 45
	if m.cell < uprightCell {
		m.slope = 90
	}
	reach, rise := math.Cos(m.slope*math.Pi/180), math.Sin(m.slope*math.Pi/180)
	m.top = headRoom + m.longestName*rise + 14
	side := m.cell * float64(n)
	m.bars = m.left + side + max(28, m.longestName*reach-m.cell/2+18)
	m.drawing = newDrawing(m.bars+barLength+64, m.top+side+footRoom, "matrix", "Confusion matrix and accuracy of each class")
	m.frame(side)
	for row := range n {
		m.row(row)
	}
	return m.end()
}

// frame draws the ground of the cells, the names of the axes and the scale of the
// bars.
func (m matrix) frame(side float64) {
	m.add(`<rect class="ground" x="%s" y="%s" width="%s" height="%[3]s"/>`+"\n", number(m.left), number(m.top), number(side))
	m.text(m.left+side/2, 14, "name", "middle", "prediction")
	m.add(`<text class="name" text-anchor="middle" transform="translate(14 %s) rotate(-90)">label</text>`+"\n", number(m.top+side/2))
	m.text(m.bars+barLength/2, m.top-12, "name", "middle", "accuracy of the class in %")
	for _, tick := range []float64{0, 25, 50, 75, 100} {
		x := m.bars + barLength*tick/100
		m.line(x, m.top, x, m.top+side, "grid")
		m.text(x, m.top+side+18, "tick", "middle", fmt.Sprint(tick))
	}
}

// row draws the cells of a label that are not 0, and its bar.
func (m matrix) row(row int) {
	counts := m.e.Confusion[row]
	total := sum(counts)
	middle := m.top + m.cell*(float64(row)+0.5)
	across := m.left + m.cell*(float64(row)+0.5)
	name := fit(m.e.class(row), className)
	m.add(`<text x="%s" y="%s" text-anchor="end" font-size="%s">%s</text>`+"\n",
		number(m.left-7), number(middle+m.font/3), number(m.font), escape(name))
	m.add(`<text transform="translate(%s %s) rotate(-%s)" font-size="%s">%s</text>`+"\n",
		number(across+m.font/3), number(m.top-7), number(m.slope), number(m.font), escape(name))
	for column, count := range counts {
		if count > 0 {
			m.count(row, column, count, total)
		}
	}
	if total > 0 {
		m.bar(row, float64(counts[row])/float64(total), middle)
	}
}

// count draws a cell. Its colour says right or wrong, its strength the share of the
// label's images; the square root lets rare mistakes be seen.
func (m matrix) count(row, column, count, total int) {
	share := float64(count) / float64(total)
	strength := math.Sqrt(share)
	x, y := m.left+m.cell*float64(column), m.top+m.cell*float64(row)
	class := "wrong"
	if row == column {
		class = "right"
	}
	m.add(`<g><title>%s</title><rect class="%s" x="%s" y="%s" width="%s" height="%[5]s" fill-opacity="%s"/>`,
		escape(fmt.Sprintf("%s taken for %s: %s of %s (%.1f %%)", m.e.class(row), m.e.class(column), grouped(int64(count)), grouped(int64(total)), 100*share)),
		class, number(x+0.5), number(y+0.5), number(m.cell-1), number(strength))
	if m.cell >= countCell {
		ink := "faint"
		if strength > 0.6 {
			ink = "strong"
		}
		m.add(`<text class="%s" x="%s" y="%s" text-anchor="middle">%d</text>`, ink, number(x+m.cell/2), number(y+m.cell/2+4), count)
	}
	m.add("</g>\n")
}

func (m matrix) bar(row int, share, middle float64) {
	height := max(m.cell*0.55, 4)
	m.add(`<rect class="bar" x="%s" y="%s" width="%s" height="%s"/>`+"\n",
		number(m.bars), number(middle-height/2), number(barLength*share), number(height))
	m.add(`<text x="%s" y="%s" font-size="%s">%.1f</text>`+"\n",
		number(m.bars+barLength+9), number(middle+m.font/3), number(m.font), 100*share)
}

// mistake is a label and what was seen in it instead.
type mistake struct {
	Label, Guess string
	Count        string
	Share        string // of the label's images

	count int
}

// mistakes are the most frequent ones.
func (e *evaluation) mistakes(most int) []mistake {
	var all []mistake
	for row, counts := range e.Confusion {
		for column, count := range counts {
			if row == column || count <= 0 {
				continue
			}
			all = append(all, mistake{
				Label: e.class(row), Guess: e.class(column), Count: grouped(int64(count)), count: count,
				Share: fmt.Sprintf("%.1f", 100*float64(count)/float64(sum(counts))) + narrow + "%",
			})
		}
	}
	slices.SortStableFunc(all, func(a, b mistake) int { return cmp.Compare(b.count, a.count) })
	return all[:min(most, len(all))]
}

func sum(counts []int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// sound reports whether the confusion matrix is a square of counts.
func (e *evaluation) sound() bool {
	for _, row := range e.Confusion {
		if len(row) != len(e.Confusion) || len(row) > 0 && slices.Min(row) < 0 {
			return false
		}
	}
	return true
}

// class is the name of a class, its number where there are no names.
func (e *evaluation) class(i int) string {
	if i < len(e.Classes) && e.Classes[i] != "" {
		return e.Classes[i]
	}
	return fmt.Sprint(i)
}
