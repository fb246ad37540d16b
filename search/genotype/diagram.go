package genotype

import (
	"cmp"
	"slices"
)

// Sizes of a diagram in pixels.
const (
	nodeWidth, nodeHeight   = 64, 68
	inputWidth, inputHeight = 48, 36
	inputOffset             = 36 // of s0 and s1 from the row of nodes
	pillWidth, pillHeight   = 42, 22
	portOffset              = 17               // of the two ports of a node from its middle
	gutterWidth             = 76               // between columns, where edges change their height
	arrowLength             = 20               // from a pill to its node
	laneGap                 = 18               // between neighbouring lanes
	laneStart               = nodeHeight/2 + 2 // lane 1 is one gap further out
)

// diagram is a cell laid out. Columns stand for s0 and s1, each node, and the
// output. Edges change their height only in the gutters between columns and pass
// columns in lanes, so that no edge runs behind a box or a label.
type diagram struct {
	width, height int
	row           int // height of the middle of the nodes
	boxes         []box
	pills         []pill
	wires         []wire
}

type point struct{ x, y int }

type rect struct{ x, y, w, h int }

func (r rect) middle() int { return r.y + r.h/2 }
func (r rect) right() int  { return r.x + r.w }

// box is an input, a node or the output.
type box struct {
	rect
	label, note string
}

// pill is the label of an edge, next to the node that the edge leads to.
type pill struct {
	rect
	op Op
}

// wire is an edge: legs from start on, the last one ending in an arrow.
type wire struct {
	start  point
	legs   []leg
	op     Op
	concat bool
}

// leg goes to a point, straight or along a curve that is level at both ends.
type leg struct {
	to     point
	curved bool
}

// layout arranges a cell: boxes of s0, s1, every node and the output, in this order, the
// row as far down as the highest lane or s0 needs it, and a bus below the lowest lane.
func layout(c Cell) diagram {
	lanes := assignLanes(c)
	bus := min(0, slices.Min(lanes)) - 1
	d := diagram{row: max(laneGap/2-laneHeight(max(0, slices.Max(lanes))), inputOffset+inputHeight/2)}
	place := func(x, offset, width, height int, label, note string) int {
		d.boxes = append(d.boxes, box{rect{x, d.row + offset - height/2, width, height}, label, note})
		return x + width
	}
	place(0, -inputOffset, inputWidth, inputHeight, S0.String(), "")
	x := place(0, inputOffset, inputWidth, inputHeight, S1.String(), "")
	for node := range c.Nodes {
		x = place(x+gutterWidth+pillWidth+arrowLength, 0, nodeWidth, nodeHeight, nodeName(node), "sum, LIF")
	}
	d.width = place(x+gutterWidth+arrowLength, 0, nodeWidth, nodeHeight, "out", "concat")
	d.height = d.row + max(laneHeight(bus)+laneGap/2, inputOffset+inputHeight/2)
	for node := range c.Nodes {
		d.wireNode(c, lanes, node)
	}
	d.wireOutput(c, bus)
	return d
}

// wireNode draws the edges into a node. The one that arrives from higher up
// takes the upper port, so that both never cross each other on the way.
func (d *diagram) wireNode(c Cell, lanes []lane, node int) {
	type arrival struct {
		edge, y int
	}
	var arrivals []arrival
	for i, e := range c.Edges {
		if e.Node() != node {
			continue
		}
		y := d.boxes[e.Source()].middle()
		if lanes[i] != 0 {
			y = d.row + laneHeight(lanes[i])
		}
		arrivals = append(arrivals, arrival{i, y})
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.y, b.y) })
	target := d.boxes[FromNode(node)]
	gutterEnd := target.x - arrowLength - pillWidth
	for port, a := range arrivals {
		e := c.Edges[a.edge]
		y := target.middle() - portOffset + port*2*portOffset
		source := d.boxes[e.Source()]
		w := wire{start: point{source.right(), source.middle()}, op: e.Op}
		if lanes[a.edge] != 0 {
			w.curve(source.right()+gutterWidth, a.y)
			w.line(gutterEnd-gutterWidth, a.y)
		}
		w.curve(gutterEnd, y)
		w.line(target.x, y)
		d.wires = append(d.wires, w)
		d.pills = append(d.pills, pill{rect{gutterEnd, y - pillHeight/2, pillWidth, pillHeight}, e.Op})
	}
}

// wireOutput draws the concatenation: all nodes but the last, whose way is
// free, join a common bus below the cell.
func (d *diagram) wireOutput(c Cell, bus lane) {
	out := d.boxes[len(d.boxes)-1]
	gutterEnd := out.x - arrowLength
	for node := range c.Nodes {
		source := d.boxes[FromNode(node)]
		w := wire{start: point{source.right(), source.middle()}, concat: true}
		if node < c.Nodes-1 {
			w.start.y += portOffset
			w.curve(source.right()+gutterWidth, d.row+laneHeight(bus))
			w.line(gutterEnd-gutterWidth, d.row+laneHeight(bus))
			w.curve(gutterEnd, out.middle()+portOffset)
			w.line(out.x, out.middle()+portOffset)
		} else {
			w.line(out.x, out.middle())
		}
		d.wires = append(d.wires, w)
	}
}

// laneHeight is that of a lane below the row of nodes.
func laneHeight(l lane) int {
	switch {
	case l > 0:
		return -laneStart - int(l)*laneGap
	case l < 0:
		return laneStart - int(l)*laneGap
	}
	return 0
}

func (w *wire) line(x, y int)  { w.legs = append(w.legs, leg{to: point{x, y}}) }
func (w *wire) curve(x, y int) { w.legs = append(w.legs, leg{to: point{x, y}, curved: true}) }
