package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// TorchScript is a program of one input as a module ready to be saved, with extra files
// beside the code: its method forward takes what [graph.Program.Run] takes, a whole window
// from rest.
func TorchScript(p *graph.Program, extra map[string]string) *torch.Script {
	return &torch.Script{Class: "Network", Source: Source(p), Tensors: p.Constants(), Extra: extra}
}

// Source is the text of [TorchScript].
func Source(p *graph.Program) string {
	var b strings.Builder
	// The step function is heaviside, not a comparison: libtorch's fuser does not
	// know it, and so does not inline the membranes of all steps into each other,
	// which takes time exponential in T.
	fmt.Fprintf(&b, `def fire(self, current: Tensor) -> Tensor:
    parts = torch.chunk(current, %d, 0)
    rest = torch.zeros_like(parts[0])
    v = rest
    spikes: List[Tensor] = []
    for part in parts:
        u = %v * v + part
        y = torch.heaviside(u - %v, rest)
        v = u * (1.0 - y)
        spikes.append(y)
    return torch.cat(spikes, 0)

def forward(self, images: Tensor) -> Tensor:
`, p.Steps, float(p.Neuron.Tau), float(p.Neuron.Threshold))
	if p.Temporal() {
		fmt.Fprintf(&b, "    assert images.dim() == 5 and images.size(1) == %d, \"input must be [N, %[1]d, C, H, W]\"\n", p.Steps)
	}
	lines(&b, p, func(o graph.Fire, x string) string { return fmt.Sprintf("self.fire(%s)", x) })
	fmt.Fprintf(&b, "    return v%d\n", len(p.Nodes())-1)
	return b.String()
}

// lines writes every node as an assignment; fire writes neurons that x drives.
func lines(b *strings.Builder, p *graph.Program, fire func(o graph.Fire, x string) string) {
	w := writer{p, fire}
	for i, n := range p.Nodes() {
		fmt.Fprintf(b, "    v%d = %s\n", i, w.expression(n.Op))
	}
}

// writer writes nodes as expressions.
type writer struct {
	*graph.Program
	fire func(o graph.Fire, x string) string
}

// value is how the script calls a value.
func (w writer) value(v graph.Value) string {
	if v < 0 {
		return w.Inputs[-1-int(v)]
	}
	return fmt.Sprintf("v%d", int(v))
}

// constant is how the script calls a constant.
func (w writer) constant(i int) string { return "self." + w.Constants()[i].Name }

// part is a range of channels of a value.
func (w writer) part(p graph.Part) string {
	if p.Length == 0 {
		return w.value(p.X)
	}
	return fmt.Sprintf("torch.narrow(%s, 1, %d, %d)", w.value(p.X), p.Start, p.Length)
}

// expression is a node as TorchScript.
func (w writer) expression(o graph.Op) string {
	var x string // the first value that it reads
	if reads := graph.Reads(o); len(reads) > 0 {
		x = w.value(reads[0])
	}
	switch o := o.(type) {
	case graph.StepsFirst:
		return fmt.Sprintf("torch.flatten(torch.transpose(%s, 0, 1), 0, 1)", x)
	case graph.Prepare:
		if o.Pad > 0 {
			x = fmt.Sprintf("torch.constant_pad_nd(%s, [%d, %d, %d, %d], 0.0)", x, o.Pad, o.Pad, o.Pad, o.Pad)
		}
		return fmt.Sprintf("torch.contiguous(torch.div(torch.sub(%s, %s), %s), memory_format=2)",
			x, w.constant(o.Mean), w.constant(o.Deviation))
	case graph.Views:
		return fmt.Sprintf("self.join(%s, %s, g)", x, w.value(o.Right))
	case graph.Repeat:
		return "torch.cat([" + strings.Join(slices.Repeat([]string{x}, w.Steps), ", ") + "], 0)"
	case graph.Conv:
		return w.convolution(o, x)
	case graph.Fire:
		return w.fire(o, x)
	case graph.Rectify:
		return fmt.Sprintf("torch.relu(%s)", x)
	case graph.Sum:
		text := w.part(o.Parts[0])
		for _, p := range o.Parts[1:] {
			text = fmt.Sprintf("torch.add(%s, %s)", text, w.part(p))
		}
		return text
	case graph.Concat:
		var names []string
		for _, v := range o.List {
			names = append(names, w.value(v))
		}
		return "torch.cat([" + strings.Join(names, ", ") + "], 1)"
	case graph.Halve:
		height, width := x+".size(2)", x+".size(3)"
		for range o.Times {
			height, width = "("+height+" + 1) // 2", "("+width+" + 1) // 2"
		}
		return fmt.Sprintf("torch.upsample_nearest2d(%s, [%s, %s])", x, height, width)
	case graph.Enlarge:
		size := func(dimension int) string {
			return fmt.Sprintf("(%s.size(%d) + %d) // %d", w.Inputs[0], dimension, 2*o.Pad+o.Divisor-1, o.Divisor)
		}
		return fmt.Sprintf("torch.upsample_nearest2d(%s, [%s, %s])", x, size(-2), size(-1))
	case graph.Regrid:
		return regrid(o, x)
	case graph.Volume:
		return fmt.Sprintf("self.volume(%s, %d)", x, o.Planes)
	case graph.Pool:
		return fmt.Sprintf("torch.mean(%s, [2, 3])", x)
	case graph.Classify:
		return fmt.Sprintf("torch.mean(torch.reshape(torch.linear(%s, %s, %s), [%d, -1, %d]), [0])",
			x, w.constant(o.Weight), w.constant(o.Bias), w.Steps, o.Classes)
	case graph.Bins:
		return fmt.Sprintf("self.to_bins(%s, %d, g, %s.size(2), %[3]s.size(3))", x, o.Planes, w.Inputs[0])
	}
	panic(fmt.Sprintf("export: no TorchScript for a %T", o))
}

func (w writer) convolution(o graph.Conv, x string) string {
	k := 2*o.Pad + 1
	if o.Last {
		taps := fmt.Sprintf("torch.reshape(%s, [%d, -1, %d, %d])", w.constant(o.Weight), k, k, k)
		return fmt.Sprintf("self.depth_sum(torch.conv2d(%s, %s, None, [1, 1], [%d, %d]), %d) + %s", x,
			taps, o.Pad, o.Pad, o.Planes, w.constant(o.Bias))
	}
	if o.Taps() > 1 {
		x = fmt.Sprintf("self.depth_stack(%s, %d)", x, o.Planes)
	}
	groups := ""
	if o.Groups > 1 {
		groups = fmt.Sprintf(", [1, 1], %d", o.Groups)
	}
	return fmt.Sprintf("torch.conv2d(%s, %s, %s, [%d, %d], [%d, %d]%s)", x,
		w.constant(o.Weight), w.constant(o.Bias), o.Stride, o.Stride, o.Pad, o.Pad, groups)
}

func regrid(o graph.Regrid, x string) string {
	from, to := graph.PlanesAt(o.Planes, o.From), graph.PlanesAt(o.Planes, o.To)
	pick := func(x string) string { return fmt.Sprintf("self.pick_planes(%s, %d, %d)", x, from, to) }
	// Depth goes where it is cheaper, as in [graph.Resize].
	if to < from {
		x = pick(x)
	}
	x = fmt.Sprintf("torch.upsample_nearest2d(%s, [g[%d], g[%d]])", x, gridIndex(o.To), gridIndex(o.To)+1)
	if to > from {
		x = pick(x)
	}
	return x
}

// gridIndex is where the script keeps the height of a level; its width follows.
func gridIndex(level int) int { return 2 * (level + 1) }

// float writes a number that TorchScript reads as a float.
func float(x float64) string {
	text := fmt.Sprintf("%.17g", x)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
