"""The networks of SpikeDHS in plain PyTorch, in two styles.

per-step: every layer is called once a time step and float32 throughout, as in
released SNN code. folded: time lies in the batch dimension, channels last,
convolutions in the given element type. Both compute what the Go program
computes; `check.py` compares the two.
"""
from functools import reduce

import torch
import torch.nn.functional as F
from torch import nn

from neurons import FoldedLIF, StepLIF

# The published genotype: for each node two edges (source, operation), where
# sources 0 and 1 are the outputs of the two cells before, and 2... the nodes.
PUBLISHED = [[(1, "b3"), (0, "b3")], [(1, "b5"), (0, "b3")], [(2, "b3"), (3, "b3")]]
LEVELS = [0, 0, 1, 1, 1, 2, 2, 2]
TEMPERATURES = {"skip": 3.0, "b3": 3.0, "b5": 5.0}


class Style:
    """What differs between the two ways of writing the same network."""

    def __init__(self, folded, steps, dtype):
        self.folded, self.steps, self.dtype = folded, steps, dtype

    def lif(self, b=3.0):
        return FoldedLIF(b, self.steps) if self.folded else StepLIF(b)


class ConvNorm(nn.Module):
    def __init__(self, style, cin, cout, kernel=3, stride=1, first=False):
        super().__init__()
        self.dtype = torch.float32 if first else style.dtype
        self.conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2 if kernel == 3 else 0)
        self.norm = nn.BatchNorm2d(cout)

    def forward(self, x):
        c = self.conv
        if self.dtype != torch.float32:
            w, b = c.weight.to(self.dtype), c.bias.to(self.dtype)  # once folded they are that already
            y = F.conv2d(x.to(self.dtype), w, b, c.stride, c.padding)
        else:
            y = c(x)
        return self.norm(y)


class Stem(nn.Module):
    def __init__(self, style, cin, cout, spiking):
        super().__init__()
        self.style = style
        self.body = ConvNorm(style, cin, cout, first=True)
        self.lif = style.lif() if spiking else None

    def forward(self, x):
        y = self.body(x)
        if self.style.folded:  # one static image: computed once, then repeated
            y = y.to(self.style.dtype)
            if self.lif is None:
                return torch.cat([F.relu(y)] * self.style.steps)
            return self.lif(torch.cat([y] * self.style.steps))
        return F.relu(y) if self.lif is None else self.lif(y)


class Head(nn.Module):
    """Pooled rates into a linear layer with normalisation."""

    def __init__(self, style, cin, classes):
        super().__init__()
        self.style = style
        self.linear = nn.Linear(cin, classes)
        self.norm = nn.BatchNorm1d(classes)

    def forward(self, x):
        y = self.norm(self.linear(x.mean((2, 3)).float()))
        if self.style.folded:
            y = y.reshape(self.style.steps, -1, y.shape[1]).mean(0)
        return y


class Auxiliary(nn.Module):
    def __init__(self, style, cin, classes):
        super().__init__()
        self.style = style
        one = Style(style.folded, style.steps, torch.float32)
        self.lifs = nn.ModuleList([style.lif() for _ in range(3)])
        self.convs = nn.ModuleList([ConvNorm(one, cin, 128, 1), ConvNorm(one, 128, 768, 2)])
        self.linear = nn.Linear(768, classes)
        self.norm = nn.BatchNorm1d(classes)

    def forward(self, x):
        x = x.float()
        if x.shape[2:] == (8, 8):  # as published
            y = F.avg_pool2d(x, 5, 3, count_include_pad=False)
        else:
            y = F.adaptive_avg_pool2d(x, 2)
        y = self.lifs[0](y)
        for conv, lif in zip(self.convs, self.lifs[1:]):
            y = lif(conv(y))
        y = self.norm(self.linear(y.flatten(1)))
        if self.style.folded:
            y = y.reshape(self.style.steps, -1, y.shape[1]).mean(0)
        return y


def align(x, times):
    """Halves height and width by nearest interpolation, as often as told."""
    for _ in range(times):
        x = F.interpolate(x, scale_factor=0.5, mode="nearest")
    return x


def total(tensors):
    """The sum; the built-in one would first add 0."""
    return reduce(torch.add, tensors)


class Cell(nn.Module):
    """A decoded cell: operations meet at the membrane of their node."""

    def __init__(self, style, cell, c0, c1, down0, down1, width):
        super().__init__()
        self.down, self.cell = (down0, down1), cell
        channels = [c0, c1] + [width] * len(cell)
        self.ops = nn.ModuleList(
            [nn.ModuleList([ConvNorm(style, channels[s], width) for s, _ in node]) for node in cell]
        )
        self.lifs = nn.ModuleList([style.lif() for _ in cell])

    def forward(self, s0, s1):
        states = [align(s0, self.down[0]), align(s1, self.down[1])]
        for node, ops, lif in zip(self.cell, self.ops, self.lifs):
            states.append(lif(total([op(states[s]) for (s, _), op in zip(node, ops)])))
        return torch.cat(states[2:], 1)


class Operation(nn.Module):
    """A candidate operation that ends in neurons of its own."""

    def __init__(self, style, name, cin, cout, stride):
        super().__init__()
        self.body = ConvNorm(style, cin, cout, stride=stride)
        self.lif = style.lif(TEMPERATURES[name])

    def forward(self, x):
        return self.lif(self.body(x))


class MixedCell(nn.Module):
    """A cell of the supernet: every edge carries all candidates (eq. 4)."""

    def __init__(self, style, nodes, c0, c1, stride0, stride1, width):
        super().__init__()
        self.nodes = nodes
        edges = []
        for j in range(nodes):
            for s in range(2 + j):
                cin, stride = [(c0, stride0), (c1, stride1)][s] if s < 2 else (width, 1)
                names = ["skip", "b3", "b5"] if s < 2 else ["b3", "b5"]
                edges.append(nn.ModuleList([Operation(style, n, cin, width, stride) for n in names]))
        self.edges = nn.ModuleList(edges)
        self.lifs = nn.ModuleList([style.lif() for _ in range(nodes)])

    def forward(self, s0, s1, weights):
        states, e = [s0, s1], 0
        for j in range(self.nodes):
            parts = []
            for x in states:
                ops = self.edges[e]
                w = weights[e]
                results = [op(x) for op in ops]
                if len(ops) == 2:  # between nodes skip is the identity
                    results.insert(0, x)
                parts += [w[k].to(r.dtype) * r for k, r in enumerate(results)]
                e += 1
            states.append(self.lifs[j](total(parts)))
        return torch.cat(states[2:], 1)


class Classifier(nn.Module):
    def __init__(self, folded, dtype, steps, width, classes, supernet, nodes, channels=3):
        super().__init__()
        style = self.style = Style(folded, steps, dtype)
        cell = PUBLISHED
        nodes = nodes if supernet else len(cell)
        self.supernet = supernet
        c = nodes * width
        self.stem = Stem(style, channels, c, spiking=not supernet)
        self.cells = nn.ModuleList()
        (c0, l0), (c1, l1) = (c, 0), (c, 0)
        for i, level in enumerate(LEVELS):
            w = width << level
            if supernet:
                self.cells.append(MixedCell(style, nodes, c0, c1, 1 << (level - l0), 1 << (level - l1), w))
            else:
                self.cells.append(Cell(style, cell, c0, c1, level - l0, level - l1, w))
            self.cells[-1].reduction = level > l1
            (c0, l0), (c1, l1) = (c1, l1), (nodes * w, level)
            if i == 2 * len(LEVELS) // 3:
                aux = c1
        self.head = Head(style, c1, classes)
        self.auxiliary = None if supernet else Auxiliary(style, aux, classes)
        if supernet:
            edges = nodes * (nodes + 3) // 2
            self.alphas = nn.ParameterList([nn.Parameter(1e-3 * torch.randn(edges, 3)) for _ in range(2)])
        self.neurons = [m for m in self.modules() if isinstance(m, (StepLIF, FoldedLIF))]

    def weights(self):
        alphas = set(map(id, self.alphas)) if self.supernet else set()
        return [p for p in self.parameters() if id(p) not in alphas]

    def once(self, x):
        mix = [F.softmax(a, 1) for a in self.alphas] if self.supernet else None
        s0 = s1 = self.stem(x)
        second = None
        for i, cell in enumerate(self.cells):
            y = cell(s0, s1, mix[int(cell.reduction)]) if mix else cell(s0, s1)
            s0, s1 = s1, y
            if self.auxiliary is not None and self.training and i == 2 * len(LEVELS) // 3:
                second = self.auxiliary(y)
        return self.head(s1), second

    def forward(self, x):
        """Logits of the classifier, and of the auxiliary one in training."""
        for n in self.neurons:
            n.reset()
        if self.style.folded:
            return self.once(x.contiguous(memory_format=torch.channels_last))
        logits, second = zip(*[self.once(x) for _ in range(self.style.steps)])
        mean = total(logits) / self.style.steps
        return mean, None if second[0] is None else total(second) / self.style.steps
