package graph

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
)

// Energy of one operation on 32-bit floating-point numbers in 45 nm, in
// picojoules: section 5 of the paper and its sources. A layer that reads spikes
// adds up weights; a layer that reads analog values multiplies as well.
const (
	AdditionEnergy = 0.9
	MACEnergy      = 4.6
)

// millijoules turns operations of so many picojoules into mJ.
func millijoules(operations, picojoules float64) float64 { return operations * picojoules * 1e-9 }

// What a layer reads.
const (
	ReadsSpikes = "spikes" // zeros and ones, of neurons
	ReadsEvents = "events" // an input of zeros and ones, or of -1, 0 and 1
	ReadsAnalog = "analog" // anything else
)

// LayerActivity is what one convolution or linear layer of the folded program
// does, as the mean over the counted images. Convolutions that read the same
// feature are one wide layer. Biases, membranes and the identities of skip
// connections are not counted.
type LayerActivity struct {
	// Name is the layer's, such as "cell0_from_s0", "stem" or "head".
	Name string `json:"name"`
	// Kind is "convolution" or "linear".
	Kind string `json:"kind"`
	// Input and Output are channels, height and width.
	Input  [3]int `json:"input"`
	Output [3]int `json:"output"`
	// Kernel is the side of the kernel, Stride the distance of its places.
	Kernel int `json:"kernel"`
	Stride int `json:"stride"`
	// Reads is [ReadsSpikes], [ReadsEvents] or [ReadsAnalog].
	Reads string `json:"reads"`
	// Rate is s, the share of the layer's input that is not zero: its mean firing
	// rate, 0..1.
	Rate float64 `json:"rate"`
	// Steps is T, how often the layer runs for one image. The first layer of the
	// stem sees the same image at all steps and runs once. Where the program gives a
	// result a step (two views), that is an image, and Steps is 1.
	Steps int `json:"steps"`
	// Dense is A, the multiply-accumulates of one run as a dense layer, borders
	// counted like the rest; of both views, and of all planes.
	Dense int64 `json:"dense_macs"`
	// Additions is s*T*A, or 0 where the input is analog.
	Additions float64 `json:"additions"`
	// MACs is T*A where the input is analog, else 0.
	MACs int64 `json:"macs"`
	// Energy is that of the additions and MACs of one image in mJ.
	Energy float64 `json:"energy_mj"`
	// ANNEnergy is that of the same layer in an ANN, which runs once: A MACs, in mJ.
	ANNEnergy float64 `json:"ann_energy_mj"`
}

// NeuronActivity is how active a layer of neurons is.
type NeuronActivity struct {
	// Name is that of the layer, such as "stem", "cell3_n0" or, where operations
	// have neurons of their own, "cell3_from_s0".
	Name string `json:"name"`
	// Shape is channels, height and width.
	Shape [3]int `json:"shape"`
	// Rate is the share of neurons that fire in a time step, 0..1.
	Rate float64 `json:"rate"`
}

// Activity is how much a program computed, by the spikes that were counted while
// it ran: sparsity and energy of Fig. 5 and section 5.
type Activity struct {
	// Images is the number of images that were counted.
	Images int `json:"images"`
	// Checked is the number of images whose values were looked at one by one, to
	// find out whether they are spikes. In the event-driven form a spike is a bit
	// and cannot be anything else.
	Checked int `json:"checked_images"`
	// Binary says that every convolution but the first of the stem read zeros and
	// ones alone.
	Binary bool `json:"binary"`
	// FiringRate is the share of all neurons that fire in a time step, 0..1.
	FiringRate float64 `json:"firing_rate"`
	// Dense, Additions, MACs, Energy and ANNEnergy are the sums over the layers.
	Dense     int64   `json:"dense_macs"`
	Additions float64 `json:"additions"`
	MACs      int64   `json:"macs"`
	Energy    float64 `json:"energy_mj"`
	ANNEnergy float64 `json:"ann_energy_mj"`
	// Ratio is ANNEnergy / Energy: how many times less than the ANN of the same
	// architecture this network takes.
	Ratio float64 `json:"energy_ratio"`

	Layers  []LayerActivity  `json:"layers"`
	Neurons []NeuronActivity `json:"neurons"`
}

// ErrNotBinary is the cause of an error about neurons that gave something else
// than zeros and ones.
var ErrNotBinary = errors.New("values that should be spikes are not all 0 or 1")

// CountSpikes makes the following runs of the program count what its layers
// read; it begins anew.
func (p *Program) CountSpikes() { p.census = newCensus(p) }

// StopCounting ends what [Program.CountSpikes] began; what was counted stays.
func (p *Program) StopCounting() {
	if p.census != nil {
		p.census.stopped = true
	}
}

// Activity is what was counted since [Program.CountSpikes]. The error wraps
// [ErrCensus] where nothing was counted, or images of different sizes, and
// [ErrNotBinary] where neurons did not give spikes.
func (p *Program) Activity() (*Activity, error) {
	if p.census == nil || p.census.images == 0 && p.census.err == nil {
		return nil, fmt.Errorf("graph: activity: no run was counted; call CountSpikes before it: %w", ErrCensus)
	}
	return p.census.activity()
}

// Measure runs the program's plain list once on inputs, as [Program.Run] takes
// them, looks at every value, and returns what it counted.
func (p *Program) Measure(inputs ...torch.Tensor) (*Activity, error) {
	s := torch.NewInference()
	c := newCensus(p)
	p.run(s, Settings{}, c, inputs)
	if err := s.Close(); err != nil {
		return nil, fmt.Errorf("graph: measure: %w", err)
	}
	return c.activity()
}

func (c *census) activity() (*Activity, error) {
	if c.err != nil {
		return nil, c.err
	}
	a := &Activity{Images: int(c.images), Checked: int(c.checked), Binary: true}
	var fired, neurons int64
	for i, n := range c.p.nodes {
		v := Value(i)
		switch o := n.Op.(type) {
		case Conv:
			l := c.layer(o.X, o.Weight)
			weight, err := torch.Shape(c.p.Tensor(o.Weight))
			if err != nil {
				return nil, fmt.Errorf("graph: activity: %s: %w", l.Name, err)
			}
			grid := func(n int) int { return (n+2*int(o.Pad)-int(weight[2]))/int(o.Stride) + 1 }
			l.Kind, l.Kernel, l.Stride = "convolution", int(weight[2]), int(o.Stride)
			l.Output = [3]int{int(weight[0]), grid(l.Input[1]), grid(l.Input[2])}
			// With depth in the batch the weights reach over the planes beside as well.
			l.Dense = weight[0] * weight[1] * weight[2] * weight[3] * int64(l.Output[1]) * int64(l.Output[2])
			if c.p.Planes > 0 {
				l.Dense, l.Steps = l.Dense*int64(l.Steps), 1
			}
			a.add(l)
			if !c.p.image(o.X) && l.Reads != ReadsSpikes {
				a.Binary = false
			}
		case Classify:
			l := c.layer(o.X, o.Weight)
			l.Kind, l.Kernel, l.Stride, l.Output = "linear", 1, 1, [3]int{o.Classes, 1, 1}
			l.Dense = int64(l.Input[0]) * int64(o.Classes)
			a.add(l)
		case Fire:
			t, name := c.at(v), n.Name
			if name == "" { // archives of older versions have no names
				name = fmt.Sprintf("neurons%d", len(a.Neurons))
			}
			if t.ones != t.nonzero {
				return nil, fmt.Errorf("graph: activity: %s: %d of %d values: %w", name, t.nonzero-t.ones, t.total, ErrNotBinary)
			}
			fired, neurons = fired+t.ones, neurons+t.total
			a.Neurons = append(a.Neurons, NeuronActivity{name, t.shape(), t.rate()})
		}
	}
	a.FiringRate = float64(fired) / float64(max(neurons, 1))
	if a.Energy > 0 {
		a.Ratio = a.ANNEnergy / a.Energy
	}
	return a, nil
}

// layer is the part that all layers have in common.
func (c *census) layer(x Value, weight int) LayerActivity {
	t := c.at(x)
	l := LayerActivity{
		Name:  strings.TrimSuffix(c.p.constants[weight].Name, "_weight"),
		Input: t.shape(), Rate: t.rate(), Steps: int(t.frames / c.images), Reads: ReadsAnalog,
	}
	switch {
	case c.p.spiking(x) && t.ones == t.nonzero:
		l.Reads = ReadsSpikes
	case c.p.image(x) && t.signs == t.nonzero: // by what the images were, not by what they are called
		l.Reads = ReadsEvents
	}
	return l
}

func (t tally) shape() [3]int { return [3]int{int(t.channels), int(t.height), int(t.width)} }

// add does the arithmetic of a layer and adds it to the sums.
func (a *Activity) add(l LayerActivity) {
	if l.Reads == ReadsAnalog {
		l.MACs = int64(l.Steps) * l.Dense
	} else {
		l.Additions = l.Rate * float64(int64(l.Steps)*l.Dense)
	}
	l.Energy = millijoules(l.Additions, AdditionEnergy) + millijoules(float64(l.MACs), MACEnergy)
	l.ANNEnergy = millijoules(float64(l.Dense), MACEnergy)
	a.Layers = append(a.Layers, l)
	a.Dense += l.Dense
	a.Additions += l.Additions
	a.MACs += l.MACs
	a.Energy += l.Energy
	a.ANNEnergy += l.ANNEnergy
}
