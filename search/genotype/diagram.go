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

// layout arranges a cell. Heights are found relative to the row of nodes first
// and shifted at the end.
func layout(c Cell) diagram {
	var d diagram
	lanes := assignLanes(c)
	d.boxes = placeBoxes(c)
	for node := range c.Nodes {
		d.wireNode(c, lanes, node)
	}
	d.wireOutput(c, busLevel(lanes))
	d.moveIntoView(lanes)
	return d
}

// placeBoxes returns the boxes of s0, s1, every node and the output, in this order.
func placeBoxes(c Cell) []box {
	boxes := []box{
		{rect{0, -inputOffset - inputHeight/2, inputWidth, inputHeight}, S0.String(), ""},
		{rect{0, inputOffset - inputHeight/2, inputWidth, inputHeight}, S1.String(), ""},
	}
	x := inputWidth
	for node := range c.Nodes {
		x += gutterWidth + pillWidth + arrowLength
		boxes = append(boxes, box{rect{x, -nodeHeight / 2, nodeWidth, nodeHeight}, nodeName(node), "sum, LIF"})
		x += nodeWidth
	}
	x += gutterWidth + arrowLength
	return append(boxes, box{rect{x, -nodeHeight / 2, nodeWidth, nodeHeight}, "out", "concat"})
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
			y = laneHeight(lanes[i])
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
			w.curve(source.right()+gutterWidth, laneHeight(bus))
			w.line(gutterEnd-gutterWidth, laneHeight(bus))
			w.curve(gutterEnd, out.middle()+portOffset)
			w.line(out.x, out.middle()+portOffset)
		} else {
			w.line(out.x, out.middle())
		}
		d.wires = append(d.wires, w)
	}
}

// moveIntoView shifts the diagram so that it starts at 0, 0.
func (d *diagram) moveIntoView(lanes []lane) {
	top := laneHeight(max(0, slices.Max(lanes))) - laneGap/2
	top = min(top, d.boxes[S0].y)
	d.row = -top
	d.width = d.boxes[len(d.boxes)-1].right()
	d.height = max(laneHeight(busLevel(lanes))+laneGap/2, d.boxes[S1].y+inputHeight) - top
	for i := range d.boxes {
		d.boxes[i].y -= top
	}
	for i := range d.pills {
		d.pills[i].y -= top
	}
	for i := range d.wires {
		w := &d.wires[i]
		w.start.y -= top
		for k := range w.legs {
			w.legs[k].to.y -= top
		}
	}
}

func busLevel(lanes []lane) lane { return min(0, slices.Min(lanes)) - 1 }

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
