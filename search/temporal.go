package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
)

// StepsFirst turns input with time as people have it, [N, T, C, H, W], into what
// [Network.Forward] reads, [T*N, C, H, W] with time slowest.
func StepsFirst(s *torch.Scope, x torch.Tensor, steps int) torch.Tensor {
	if shape := s.Shape(x); s.Err() == nil && (len(shape) != 5 || shape[1] != int64(steps)) {
		s.Fail(fmt.Errorf("search: input of shape %v; want [N, %d, C, H, W]: %w", shape, steps, ErrOptions))
		return torch.Tensor{}
	}
	return s.Tensor("aten::flatten.using_ints", s.Tensor("aten::transpose.int", x, 0, 1), 0, 1)
}

// timeFirst is [StepsFirst] as an instruction: the first of a program whose input
// has time.
type timeFirst struct{ x value }

func (i timeFirst) reads() []value { return []value{i.x} }

func (i timeFirst) run(m *machine) torch.Tensor { return StepsFirst(m.scope, m.at(i.x), m.steps) }

func (i timeFirst) text(*Program) string {
	return fmt.Sprintf("torch.flatten(torch.transpose(%s, 0, 1), 0, 1)", i.x.name())
}

// Temporal tells whether the program's input has time: images [N, T, C, H, W].
func (p *Program) Temporal() bool {
	if len(p.list) == 0 {
		return false
	}
	_, ok := p.list[0].(timeFirst)
	return ok
}

// packedFire are neurons with a dense current that differs from step to step.
type packedFire struct {
	from value
	to   slot
}

func (f *packedFire) reads() []slot { return nil }

func (f *packedFire) run(m *eventMachine) {
	spikes := fire{f.from}.run(&m.machine)
	m.keep(f.to, m.scope.Tensor("spikedhs::spike_pack", spikes))
}
