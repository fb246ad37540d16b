package export

import (
	"fmt"
	"strings"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// StreamScript is a program of two views as a TorchScript module that runs step by step,
// with extra files beside the code. height and width are the size for which initial_state
// makes membranes where it is not told another. The module's methods, in Python:
//
//	state = model.initial_state(n)                     # or (n, height, width)
//	disparity, state = model.step(left, right, state)  # [N, C, H, W] -> [N, H, W]
//	disparity = model(left, right)                     # a window from rest: [T, N, C, H, W] -> [T, N, H, W]
//
// The state is a list of tensors, one for each layer of [graph.Program.Layers]; step
// does not change the one it gets.
func StreamScript(p *graph.Program, height, width int, extra map[string]string) *torch.Script {
	return &torch.Script{Class: "StereoNetwork", Source: streamSource(p, height, width), Tensors: p.Constants(), Extra: extra}
}

// helpers are the methods that do not depend on the network. Their comments are
// those of the Go functions of the same name in package graph.
const helpers = `def grids(self, height: int, width: int) -> List[int]:
    h = (height + 5) // 6 * 6
    w = (width + 5) // 6 * 6
    g = [h, w]
    h = h // 3
    w = w // 3
    for i in range(4):
        g.append(h)
        g.append(w)
        h = (h + 1) // 2
        w = (w + 1) // 2
    return g

def join(self, left: Tensor, right: Tensor, g: List[int]) -> Tensor:
    both = torch.cat([left, right], 0)
    both = torch.constant_pad_nd(both, [g[1] - left.size(3), 0, g[0] - left.size(2), 0], 0.0)
    return torch.contiguous(both, memory_format=2)

def depth_stack(self, x: Tensor, planes: int) -> Tensor:
    x = torch.permute(x, [0, 2, 3, 1])
    x = torch.reshape(x, [-1, planes, x.size(1), x.size(2), x.size(3)])
    x = torch.constant_pad_nd(x, [0, 0, 0, 0, 0, 0, 1, 1], 0.0)
    x = torch.cat([torch.narrow(x, 1, 0, planes), torch.narrow(x, 1, 1, planes), torch.narrow(x, 1, 2, planes)], 4)
    return torch.permute(torch.flatten(x, 0, 1), [0, 3, 1, 2])

def depth_sum(self, x: Tensor, planes: int) -> Tensor:
    x = torch.reshape(x, [-1, planes, 3, x.size(2), x.size(3)])
    before = torch.constant_pad_nd(torch.select(x, 2, 0), [0, 0, 0, 0, 1, -1], 0.0)
    after = torch.constant_pad_nd(torch.select(x, 2, 2), [0, 0, 0, 0, -1, 1], 0.0)
    y = before + torch.select(x, 2, 1) + after
    return torch.unsqueeze(torch.flatten(y, 0, 1), 1)

def pick_planes(self, x: Tensor, before: int, after: int) -> Tensor:
    x = torch.permute(x, [0, 2, 3, 1])
    x = torch.reshape(x, [-1, before, x.size(1), x.size(2), x.size(3)])
    picks: List[int] = []
    for i in range(after):
        picks.append(i * before // after)
    x = torch.index_select(x, 1, torch.tensor(picks, device=x.device))
    return torch.permute(torch.flatten(x, 0, 1), [0, 3, 1, 2])

def volume(self, both: Tensor, planes: int) -> Tensor:
    views = torch.chunk(both, 2, 0)
    left = views[0]
    right = views[1]
    width = left.size(3)
    list: List[Tensor] = []
    for i in range(planes):
        l = torch.constant_pad_nd(torch.narrow(left, 3, i, width - i), [i, 0], 0.0)
        r = torch.constant_pad_nd(torch.narrow(right, 3, 0, width - i), [i, 0], 0.0)
        list.append(torch.cat([l, r], 1))
    return torch.contiguous(torch.flatten(torch.stack(list, 1), 0, 1), memory_format=2)

def to_bins(self, x: Tensor, planes: int, g: List[int], height: int, width: int) -> Tensor:
    y = torch.reshape(torch.contiguous(x), [-1, planes, x.size(2), x.size(3)])
    y = torch.conv2d(y, self.mapping)
    y = torch.upsample_bilinear2d(y, [g[0], g[1]], False)
    return torch.narrow(torch.narrow(y, 2, g[0] - height, height), 3, g[1] - width, width)

def estimate(self, cost: Tensor) -> Tensor:
    bins = torch.reshape(torch.type_as(torch.arange(cost.size(1), device=cost.device), cost), [1, -1, 1, 1])
    best = torch.type_as(torch.argmax(cost, 1, True), cost)
    far = torch.gt(torch.abs(torch.sub(bins, best)), 2)
    shares = torch.softmax(torch.masked_fill(cost, far, float('-inf')), 1)
    return torch.sum(torch.mul(shares, torch.mul(bins, 2.0)), [1])

`

func streamSource(p *graph.Program, height, width int) string {
	channels := p.InputChannels()
	var b strings.Builder
	b.WriteString(helpers)
	fmt.Fprintf(&b, `def fire(self, current: Tensor, v: Tensor, after: List[Tensor]) -> Tensor:
    u = %v * v + current
    y = torch.heaviside(u - %v, torch.zeros_like(u))
    after.append(u * (1.0 - y))
    return y

`, float(p.Neuron.Tau), float(p.Neuron.Threshold))
	fmt.Fprintf(&b, `def initial_state(self, n: int, height: int = %d, width: int = %d) -> List[Tensor]:
    g = self.grids(height, width)
    device = self.mapping.device
    state: List[Tensor] = []
`, height, width)
	for _, n := range p.Layers() {
		at := gridIndex(n.Level)
		fmt.Fprintf(&b, "    state.append(torch.contiguous(torch.zeros([n * %d, %d, g[%d], g[%d]], device=device), memory_format=2)) # %s\n",
			n.Images, n.Channels, at, at+1, n.Name)
	}
	fmt.Fprintf(&b, `    return state

def cost(self, left: Tensor, right: Tensor, state: List[Tensor]) -> Tuple[Tensor, List[Tensor]]:
    assert left.dim() == 4 and left.size(1) == %d, "each view must be [N, %[1]d, H, W]"
    assert left.size() == right.size(), "the views differ in shape"
    assert len(state) == %d, "a state has %[2]d tensors; initial_state makes one"
    g = self.grids(left.size(2), left.size(3))
    after: List[Tensor] = []
`, channels, len(p.Layers()))
	lines(&b, p, func(o graph.Fire, x string) string {
		return fmt.Sprintf("self.fire(%s, state[%d], after)", x, o.Layer)
	})
	fmt.Fprintf(&b, `    return v%d, after

def step(self, left: Tensor, right: Tensor, state: List[Tensor]) -> Tuple[Tensor, List[Tensor]]:
    cost, after = self.cost(left, right, state)
    return self.estimate(cost), after

def forward(self, left: Tensor, right: Tensor) -> Tensor:
    assert left.dim() == 5, "a window is [T, N, %d, H, W]"
    state = self.initial_state(left.size(1), left.size(3), left.size(4))
    list: List[Tensor] = []
    for t in range(left.size(0)):
        disparity, state = self.step(left[t], right[t], state)
        list.append(disparity)
    return torch.stack(list, 0)
`, len(p.Nodes())-1, channels)
	return b.String()
}
