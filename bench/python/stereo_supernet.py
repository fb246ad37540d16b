"""The supernet of the stereo search in plain PyTorch, one time step a call and float32
throughout: all cells of the trellis exist, every edge of a cell has a convolution of
its own for each candidate, and candidates meet as spikes, weighted by softmax(alpha).
"""
import torch
import torch.nn.functional as F
from torch import nn

from neurons import StepLIF
from stereo import SKIP, ConvNorm, Layer, Matcher, levels, resized, stems

NODES, OPS, LEVELS = 3, 3, 4
TEMPERATURES = [3.0, 3.0, 5.0]  # skip (where it is a convolution), b3, b5


class Operation(nn.Module):
    """A candidate with neurons of its own."""

    def __init__(self, deep, op, cin, cout):
        super().__init__()
        self.body, self.lif = ConvNorm(deep, cin, cout), StepLIF(TEMPERATURES[op])

    def forward(self, x):
        return self.lif(self.body(x))


class MixedCell(nn.Module):
    """All candidates on all edges. A cell whose target level is new has no s0."""

    def __init__(self, deep, c0, c1, width):
        super().__init__()
        channels = [c0, c1] + [width] * NODES
        self.edges = nn.ModuleList()
        for node in range(NODES):
            for source in range(node + 2):
                ops = nn.ModuleDict()
                for op in range(OPS):
                    # Between nodes skip is the identity.
                    if channels[source] and not (op == SKIP and source > 1):
                        ops[str(op)] = Operation(deep, op, channels[source], width)
                self.edges.append(ops)
        self.lifs = nn.ModuleList([StepLIF(3.0) for _ in range(NODES)])

    def forward(self, s0, s1, weights):
        states, edge = [s0, s1], 0
        for node, lif in enumerate(self.lifs):
            total = None
            for x in states:
                ops = self.edges[edge]
                for op in range(OPS):
                    if str(op) in ops:
                        y = weights[edge, op] * ops[str(op)](x)
                    elif len(ops) and op == SKIP:
                        y = weights[edge, op] * x
                    else:
                        continue
                    total = y if total is None else total + y
                edge += 1
            states.append(lif(total))
        return torch.cat(states[2:], 1)


def trellis(layers):
    """(layer, from, to) of all cells; a level can be reached from its neighbours."""
    for layer in range(layers):
        for to in range(min(layer + 2, LEVELS)):
            for source in (to - 1, to, to + 1):
                if 0 <= source <= min(layer, LEVELS - 1):
                    yield layer, source, to


class TrellisSubnet(nn.Module):
    """A subnet with all its paths."""

    def __init__(self, deep, layers, stems, width):
        super().__init__()
        self.deep, self.layers = deep, layers
        wide = 3 * width
        self.stems = nn.ModuleList([ConvNorm(deep, cin, cout, 3, stride) for cin, cout, stride in stems])
        self.cells = nn.ModuleDict()
        for layer, source, to in trellis(layers):
            c0 = wide << to if to == 0 or layer > to else 0
            self.cells[f"{layer}_{to}_from_{source}"] = MixedCell(deep, c0, wide << source, width << to)
        # tails[level - 1] halves the channels of a level. A feature of each level runs
        # through all below, with membranes of its own.
        top = min(layers, LEVELS - 1)
        self.tails = nn.ModuleList([ConvNorm(deep, wide << l, wide << (l - 1), 1, bias=False) for l in range(1, top + 1)])
        self.tail_lifs = nn.ModuleDict({f"{begin}_{l}": StepLIF(3.0) for begin in range(1, top + 1) for l in range(1, begin + 1)})
        self.alpha = nn.Parameter(1e-3 * torch.randn(NODES * (NODES + 3) // 2, OPS))
        self.beta = nn.Parameter(1e-3 * torch.randn(layers, LEVELS, 3))
        absent, share = torch.zeros(LEVELS, 3), torch.ones(LEVELS, 1)
        absent[0, 0] = absent[-1, 2] = float("-inf")  # nothing is finer than level 0, nothing coarser than level 3
        share[0] = share[-1] = 2 / 3
        self.register_buffer("absent", absent)
        self.register_buffer("share", share)

    def forward(self, x):
        before, last = x, x
        for stem in self.stems:
            before, last = last, F.relu(stem(last))
        sizes = levels(last.shape[2:])
        mix = self.alpha.softmax(1)
        moves = (self.beta + self.absent).softmax(2) * self.share
        older, newer = [None] * LEVELS, [None] * LEVELS
        older[0], newer[0] = before if self.deep else last, last
        for layer in range(self.layers):
            total = [None] * LEVELS
            for at, source, to in trellis(self.layers):
                if at != layer:
                    continue
                cell = self.cells[f"{layer}_{to}_from_{source}"]
                y = moves[layer, source, to - source + 1] * cell(older[to], resized(newer[source], sizes[to]), mix)
                total[to] = y if total[to] is None else total[to] + y
            older, newer = newer, total
        result = None
        for begin, y in enumerate(newer):
            if y is None:
                continue
            for l in range(begin, 0, -1):
                y = resized(self.tail_lifs[f"{begin}_{l}"](self.tails[l - 1](y)), sizes[l - 1])
            result = y if result is None else result + y
        return result


class StereoSupernet(Matcher):
    def __init__(self, channels, width, max_disparity, feature_layers, matching_layers):
        flat, deep = stems(channels, width)
        super().__init__(width, max_disparity, TrellisSubnet(False, feature_layers, flat, width),
                         TrellisSubnet(True, matching_layers, deep, width))

    def architecture(self):
        return [p for n in (self.feature, self.matching) for p in (n.alpha, n.beta)]

    def weights(self):
        own = set(map(id, self.architecture()))
        return [p for p in self.parameters() if id(p) not in own]


class SearchStep:
    """One step of the weights on a batch and one of alpha and beta on a batch, by the
    paper's optimisers; a batch is (left, right, truth) of all time steps."""

    def __init__(self, net, loss_of):
        self.net, self.loss_of = net, loss_of
        self.sgd = torch.optim.SGD(net.weights(), 0.002, 0.9, weight_decay=3e-4)
        self.adam = torch.optim.Adam(net.architecture(), 0.002, weight_decay=1e-3)

    def __call__(self, batch, other):
        self.lower(self.net.weights(), self.sgd, 5.0, *batch)
        self.lower(self.net.architecture(), self.adam, 0, *other)

    def lower(self, parameters, optimizer, clip, left, right, truth):
        self.net.train()
        self.net.reset()
        loss = self.loss_of(torch.cat([self.net(l, r) for l, r in zip(left, right)]), truth)
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
            p.grad = g
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
