package task

import (
	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
)

// resident is a data set on the device.
type resident struct {
	scope  *torch.Scope
	sizes  data.Sizes
	cutout int
	inputs []planes
	truth  *planes      // of examples with truth, else
	labels torch.Tensor // int64 [examples]
	rows   torch.Tensor // int64 [examples, T], of examples with truth
}

// planes are pictures on the device.
type planes struct {
	pixels torch.Tensor   // uint8 [M, C, H, W]
	tables []torch.Tensor // each float32 [C, 256]
}

// newResident copies examples to a device.
func newResident(d torch.Device, of data.Examples) (*resident, error) {
	stored, err := of.Stored()
	if err != nil {
		return nil, err
	}
	s := torch.NewInference()
	r := &resident{scope: s, sizes: of.Sizes(), cutout: stored.Cutout}
	put := func(p data.Planes) planes {
		on := planes{pixels: s.To(torch.FromSlice(s, p.Bytes, sizes([]int{p.M, p.C, p.H, p.W})...), d)}
		for _, table := range p.Tables {
			on.tables = append(on.tables, s.To(torch.FromSlice(s, table, int64(p.C), 256), d))
		}
		return on
	}
	for _, input := range stored.Inputs {
		r.inputs = append(r.inputs, put(input))
	}
	if of.Mapped() {
		truth := put(stored.Truth)
		r.truth = &truth
		r.rows = s.To(torch.FromSlice(s, stored.Rows, int64(of.Len()), int64(r.sizes.T)), d)
	} else {
		r.labels = s.To(torch.FromSlice(s, stored.Labels, int64(of.Len())), d)
	}
	if err := s.Err(); err != nil {
		s.Close()
		return nil, err
	}
	return r, nil
}

// tensors are the inputs and the target of a batch of examples.
func (r *resident) tensors(s *torch.Scope, indices, choices torch.Tensor) (inputs []torch.Tensor, target torch.Tensor) {
	rows := indices
	if r.truth != nil {
		// Time is slowest: step by step the rows of all examples, with the same choices.
		rows = s.Tensor("aten::transpose.int", s.Tensor("aten::index_select", r.rows, 0, indices), 0, 1)
		rows = s.Reshape(s.Contiguous(rows), -1)
		choices = s.Reshape(s.Contiguous(s.Expand(choices, int64(r.sizes.T), -1, -1)), -1, choiceSize)
	}
	for _, in := range r.inputs {
		inputs = append(inputs, r.pick(s, in, rows, choices, r.sizes.C))
	}
	if r.truth != nil {
		return inputs, s.Reshape(r.pick(s, *r.truth, rows, choices, 1), -1, int64(r.sizes.H), int64(r.sizes.W))
	}
	return inputs, s.Tensor("aten::index_select", r.labels, 0, indices)
}

// pick makes so many channels of some rows of p, as [data.Planes] tells.
func (r *resident) pick(s *torch.Scope, p planes, rows, choices torch.Tensor, channels int) torch.Tensor {
	var parts []torch.Tensor
	for _, table := range p.tables {
		parts = append(parts, s.Tensor("spikedhs::augment", p.pixels, rows, choices, table, r.sizes.H, r.sizes.W, r.cutout))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	all := s.Tensor("aten::flatten.using_ints", s.Tensor("aten::stack", parts, 2), 1, 2)
	return s.Contiguous(s.Narrow(all, 1, 0, channels))
}

// choiceSize is how many numbers spikedhs::augment takes for an example.
const choiceSize = 5

// flatChoices lays choices out as spikedhs::augment reads them.
func flatChoices(list []data.Choices) []int32 {
	flat := make([]int32, 0, choiceSize*len(list))
	for _, c := range list {
		flip := int32(0)
		if c.Flip {
			flip = 1
		}
		flat = append(flat, int32(c.Top), int32(c.Left), flip, int32(c.Row), int32(c.Col))
	}
	return flat
}
