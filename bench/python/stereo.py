"""The stereo network of SpikeDHS in plain PyTorch: every layer is called once a
time step, in float32, with convolutions over three dimensions and a volume that is
filled plane by plane, as published stereo code does it. Layers and their variables
have the names of the Go program, except that each edge has a convolution of its own.
"""
import torch
import torch.nn.functional as F
from torch import nn

from neurons import StepLIF

SKIP = 0


def edge_ends(index):
    """Source and node of an edge: 0 and 1 are s0 and s1, 2... the nodes."""
    node = 0
    while index >= (node + 1) * (node + 4) // 2:
        node += 1
    return index - node * (node + 3) // 2, node


def half(n):
    return (n + 1) // 2


def stems(channels, width):
    """Input, output and stride of the layers in front of both subnets."""
    wide = 3 * width
    return [(channels, wide // 2, 1), (wide // 2, wide, 3)], [(2 * wide, wide, 1), (wide, wide, 1)]


def levels(size):
    """The grids of the four levels, from that of level 0."""
    sizes = [tuple(size)]
    for _ in range(3):
        sizes.append(tuple(half(n) for n in sizes[-1]))
    return sizes


def resized(x, size):
    return x if tuple(x.shape[2:]) == tuple(size) else F.interpolate(x, size=tuple(size), mode="nearest")


class ConvNorm(nn.Module):
    """Convolution over two or three dimensions, and its normalisation."""

    def __init__(self, deep, cin, cout, kernel=3, stride=1, bias=True, norm=True):
        super().__init__()
        conv, bn = (nn.Conv3d, nn.BatchNorm3d) if deep else (nn.Conv2d, nn.BatchNorm2d)
        self.conv = conv(cin, cout, kernel, stride, kernel // 2, bias=bias)
        self.norm = bn(cout) if norm else nn.Identity()

    def forward(self, x):
        return self.norm(self.conv(x))


class Layer(nn.Module):
    """A stem or a tail: convolution, normalisation, neurons."""

    def __init__(self, *arguments, **options):
        super().__init__()
        self.body, self.lif = ConvNorm(*arguments, **options), StepLIF(3.0)

    def forward(self, x):
        return self.lif(self.body(x))


class Cell(nn.Module):
    """A decoded cell; operations meet at the membrane of their node."""

    def __init__(self, deep, rows, c0, c1, width):
        super().__init__()
        self.nodes = len(rows) // 2
        channels = [c0, c1] + [width] * self.nodes
        self.inputs = [[] for _ in range(self.nodes)]
        self.ops = nn.ModuleDict()
        for i, (index, op) in enumerate(rows):
            source, node = edge_ends(index)
            if op == SKIP and source > 1:
                self.inputs[node].append((source, None))
                continue
            self.ops[str(i)] = ConvNorm(deep, channels[source], width)
            self.inputs[node].append((source, str(i)))
        self.lifs = nn.ModuleList([StepLIF(3.0) for _ in range(self.nodes)])

    def forward(self, s0, s1):
        states = [s0, s1]
        for edges, lif in zip(self.inputs, self.lifs):
            total = None
            for source, op in edges:
                y = states[source] if op is None else self.ops[op](states[source])
                total = y if total is None else total + y
            states.append(lif(total))
        return torch.cat(states[2:], 1)


class Subnet(nn.Module):
    def __init__(self, deep, genotype, stems, width):
        super().__init__()
        self.deep, self.path = deep, genotype["path"]
        wide = 3 * width
        self.stems = nn.ModuleList([Layer(deep, cin, cout, 3, stride) for cin, cout, stride in stems])
        self.cells = nn.ModuleList()
        (c0, l0), (c1, l1) = (wide, 0), (wide, 0)
        self.levels = []
        for level in self.path:
            self.cells.append(Cell(deep, genotype["cell"], c0, c1, width << level))
            self.levels.append((l0, l1, level))
            (c0, l0), (c1, l1) = (c1, l1), (wide << level, level)
        self.tail = nn.ModuleList([Layer(deep, wide << l, wide << (l - 1), 1, bias=False) for l in range(self.path[-1], 0, -1)])

    def forward(self, x):
        before, last = x, x
        for stem in self.stems:
            before, last = last, stem(last)
        s0, s1 = (before, last) if self.deep else (last, last)
        sizes = levels(last.shape[2:])
        for cell, (_, _, level) in zip(self.cells, self.levels):
            y = cell(resized(s0, sizes[level]), resized(s1, sizes[level]))
            s0, s1 = s1, y
        level = self.path[-1]
        for layer in self.tail:
            level -= 1
            s1 = resized(layer(s1), sizes[level])
        return s1


class Matcher(nn.Module):
    """What lies around the two subnets: projection, volume, head."""

    def __init__(self, width, max_disparity, feature, matching):
        super().__init__()
        wide = 3 * width
        self.planes, self.bins = max_disparity // 3, (max_disparity + 1) // 2
        self.feature, self.matching = feature, matching
        self.project = Layer(False, wide, wide, 1, bias=False, norm=False)
        self.last = nn.Conv3d(wide, 1, 3, padding=1, bias=False)
        mapping = torch.zeros(self.bins, self.planes)
        for j in range(self.bins):
            at = min(j * 2 / 3, self.planes - 1)
            below = min(int(at), self.planes - 2)
            mapping[j, below], mapping[j, below + 1] = 1 - (at - below), at - below
        self.register_buffer("mapping", mapping)

    def reset(self):
        for m in self.modules():
            if isinstance(m, StepLIF):
                m.reset()

    def detach(self):
        """Forgets the graph of the steps before."""
        for m in self.modules():
            if isinstance(m, StepLIF) and m.u is not None:
                m.u, m.y = m.u.detach(), m.y.detach()

    def volume(self, left, right):
        b, c, h, w = left.shape
        v = left.new_zeros(b, 2 * c, self.planes, h, w)
        for i in range(self.planes):
            v[:, :c, i, :, i:] = left[:, :, :, i:]
            v[:, c:, i, :, i:] = right[:, :, :, : w - i]
        return v

    def forward(self, left, right):
        """The cost of one time step [N, bins, H, W] from [N, C, H, W]."""
        height, width = left.shape[2:]
        top, before = -height % 6, -width % 6
        both = F.pad(torch.cat([left, right]), (before, 0, top, 0))
        features = self.project(self.feature(both))
        y = self.last(self.matching(self.volume(*features.chunk(2))))
        y = torch.einsum("jd,ndhw->njhw", self.mapping, y[:, 0])
        y = F.interpolate(y, size=(height + top, width + before), mode="bilinear", align_corners=False)
        return y[:, :, top:, before:]


class Stereo(Matcher):
    """The network of a genotype."""

    def __init__(self, channels, width, max_disparity, feature, matching):
        flat, deep = stems(channels, width)
        super().__init__(width, max_disparity, Subnet(False, feature, flat, width), Subnet(True, matching, deep, width))


def estimate(cost):
    bins = torch.arange(cost.shape[1], device=cost.device).reshape(1, -1, 1, 1)
    far = (bins - cost.argmax(1, keepdim=True)).abs() > 2
    return (cost.masked_fill(far, float("-inf")).softmax(1) * (2.0 * bins)).sum(1)


def loss_of(cost, truth):
    """Sub-pixel cross entropy with a Laplace distribution of b = 1 px."""
    valid = truth.isfinite()
    d = torch.where(valid, truth, torch.zeros_like(truth))
    bins = 2.0 * torch.arange(cost.shape[1], device=cost.device).reshape(1, -1, 1, 1)
    q = (-(bins - d.unsqueeze(1)).abs()).softmax(1)
    each = -(q * cost.log_softmax(1)).sum(1)
    return (each * valid).sum() / valid.sum().clamp(min=1)
