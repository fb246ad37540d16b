"""The classifier of SpikeDHS in SpikingJelly, twice: of its layers and its LIF with the
published genotype, and the SpikeDHS network that it brings along.

The first computes what networks.py computes, but for the gradient: Dspike is not among
the surrogates that SpikingJelly has kernels for, so the neurons take its ATan. The
second has more weights (those of its search of surrogates) and 100 classes, and its
neurons are no kernels. Both keep time apart from the batch, [T, N, C, H, W].
"""
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from spikingjelly.activation_based import functional, layer, surrogate
from torch import nn

from networks import LEVELS, PUBLISHED, total
from neurons import TAU, THRESHOLD


def fire(current, function, detach_reset=False):
    """The paper's neuron: 1 - 1/tau is the leak there, and the input does not decay."""
    v = torch.zeros_like(current[0], dtype=torch.float32)  # with which there is a kernel
    return functional.lif_multi_step(
        current, v, 1 / (1 - TAU), False, THRESHOLD, 0.0, function, detach_reset
    )[0]


class LIF(nn.Module):
    def __init__(self):
        super().__init__()
        self.function = surrogate.ATan(alpha=2.0)

    def forward(self, current):
        return fire(current, self.function)


def conv_norm(cin, cout, kernel=3):
    return layer.SeqToANNContainer(
        nn.Conv2d(cin, cout, kernel, padding=kernel // 2 if kernel == 3 else 0), nn.BatchNorm2d(cout)
    )


def halve(x, times):
    for _ in range(times):
        x = F.interpolate(x.flatten(0, 1), scale_factor=0.5, mode="nearest").unflatten(0, x.shape[:2])
    return x


class Cell(nn.Module):
    def __init__(self, c0, c1, down0, down1, width):
        super().__init__()
        self.down = (down0, down1)
        channels = [c0, c1] + [width] * len(PUBLISHED)
        self.ops = nn.ModuleList(
            [nn.ModuleList([conv_norm(channels[s], width) for s, _ in node]) for node in PUBLISHED]
        )
        self.lifs = nn.ModuleList([LIF() for _ in PUBLISHED])

    def forward(self, s0, s1):
        states = [halve(s0, self.down[0]), halve(s1, self.down[1])]
        for node, ops, lif in zip(PUBLISHED, self.ops, self.lifs):
            states.append(lif(total([op(states[s]) for (s, _), op in zip(node, ops)])))
        return torch.cat(states[2:], 2)


class Auxiliary(nn.Module):
    def __init__(self, cin, classes):
        super().__init__()
        self.lifs = nn.ModuleList([LIF() for _ in range(3)])
        self.convs = nn.ModuleList([conv_norm(cin, 128, 1), conv_norm(128, 768, 2)])
        self.linear = layer.SeqToANNContainer(nn.Linear(768, classes), nn.BatchNorm1d(classes))

    def forward(self, x):
        flat = x.flatten(0, 1)
        if x.shape[3:] == (8, 8):  # as published
            y = F.avg_pool2d(flat, 5, 3, count_include_pad=False)
        else:
            y = F.adaptive_avg_pool2d(flat, 2)
        y = self.lifs[0](y.unflatten(0, x.shape[:2]))
        for conv, lif in zip(self.convs, self.lifs[1:]):
            y = lif(conv(y))
        return self.linear(y.flatten(2)).mean(0)


class Classifier(nn.Module):
    """The order of the layers is that of networks.Classifier."""

    supernet = False

    def __init__(self, steps, width, classes, dtype, channels=3):
        super().__init__()
        self.steps, self.dtype = steps, dtype
        nodes = len(PUBLISHED)
        c = nodes * width
        self.stem, self.lif = conv_norm(channels, c), LIF()
        self.cells = nn.ModuleList()
        (c0, l0), (c1, l1) = (c, 0), (c, 0)
        for i, level in enumerate(LEVELS):
            w = width << level
            self.cells.append(Cell(c0, c1, level - l0, level - l1, w))
            (c0, l0), (c1, l1) = (c1, l1), (nodes * w, level)
            if i == 2 * len(LEVELS) // 3:
                aux = c1
        self.head = layer.SeqToANNContainer(nn.Linear(c1, classes), nn.BatchNorm1d(classes))
        self.auxiliary = Auxiliary(aux, classes)

    def weights(self):
        return list(self.parameters())

    def forward(self, x):
        with torch.autocast(x.device.type, self.dtype, enabled=self.dtype != torch.float32):
            # One static image: computed once, then repeated.
            y = self.stem(x.contiguous(memory_format=torch.channels_last)[None])
            s0 = s1 = self.lif(y.expand(self.steps, *y.shape[1:]))
            second = None
            for i, cell in enumerate(self.cells):
                s0, s1 = s1, cell(s0, s1)
                if self.training and i == 2 * len(LEVELS) // 3:
                    second = self.auxiliary(s1)
            return self.head(s1.mean((3, 4))).mean(0), second


class SpikeDHS(nn.Module):
    """SpikingJelly's own network; its sizes are fixed but for the width, which must be
    48 for its auxiliary classifier."""

    supernet = False

    def __init__(self, dtype):
        super().__init__()
        from spikingjelly.activation_based.model import spike_dhs

        self.dtype = dtype
        self.net = spike_dhs.SpikeDHS(
            args=SimpleNamespace(fea_step=3, fea_num_layers=8, fea_block_multiplier=3, fea_filter_multiplier=48)
        )
        functional.set_step_mode(self.net, "m")

    def weights(self):
        return list(self.net.weight_parameters())

    def forward(self, x):
        functional.reset_net(self.net)
        with torch.autocast(x.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return self.net(x)
