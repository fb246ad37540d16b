"""Computes what the stereo network gives for weights and stacks of another program.

    stereo_check.py CASE IN OUT

CASE is that of stereo_worker.py; IN and OUT are safetensors files. IN holds the
variables by the names of the Go program, "left" and "right" [T*N, C, H, W] and
"truth" [T*N, H, W]. OUT gets
    evaluated       the cost of all steps with running statistics, [T*N, bins, H, W]
    disparity       of these
    trained, loss   the cost with the batch's statistics, and its loss
    gradient.NAME   of that loss, for the stems and the last convolution; of a
                    supernet (task "stereo-search") for all weights, alpha and beta
"""
import json
import sys

import torch

from check import read, write
from stereo import SKIP, Stereo, edge_ends, estimate, loss_of
from stereo_supernet import NODES, StereoSupernet


def assign(layer, values, name, part=slice(None)):
    """The variables of a convolution and its normalisation, by the Go program's name."""
    for kind in ("conv", "norm"):
        for key, own in getattr(layer, kind).state_dict().items():
            if key != "num_batches_tracked":
                own.copy_(values[f"{name}.{kind}.{key}"][part])


def assign_subnet(net, values, name, rows, width):
    for i, stem in enumerate(net.stems):
        assign(stem.body, values, f"{name}.stem.layers.{i}")
    for i, (cell, level) in enumerate(zip(net.cells, net.path)):
        wide, place = width << level, {}
        for row, (index, op) in enumerate(rows):
            source, _ = edge_ends(index)
            if op == SKIP and source > 1:
                continue
            # The Go program has one convolution for all that reads a source.
            at = place.get(source, 0)
            place[source] = at + wide
            label = ["s0", "s1", "n0", "n1", "n2"][source]
            assign(cell.ops[str(row)], values, f"{name}.cells.{i}.from_{label}", slice(at, at + wide))
    for layer, level in zip(net.tail, range(net.path[-1], 0, -1)):
        assign(layer.body, values, f"{name}.tail.last_{3 << level}")


def owned(net):
    """Tensors of a supernet by their name in the Go program; those that are one there
    but several here come as a list, one after the other in the first dimension."""
    table = {}

    def add(name, layer):
        for kind in ("conv", "norm"):
            for key, own in list(getattr(layer, kind).named_parameters()) + list(getattr(layer, kind).named_buffers()):
                if key != "num_batches_tracked":
                    table.setdefault(f"{name}.{kind}.{key}", []).append(own)

    for name in ("feature", "matching"):
        subnet = getattr(net, name)
        table[f"{name}.alpha"], table[f"{name}.beta"] = [subnet.alpha], [subnet.beta]
        for i, stem in enumerate(subnet.stems):
            add(f"{name}.stem.layers.{i}", stem)
        for level, tail in enumerate(subnet.tails, 1):
            add(f"{name}.tail.last_{3 << level}", tail)
        for key, cell in subnet.cells.items():
            layer, rest = key.split("_", 1)
            edges = iter(cell.edges)
            for node in range(NODES):
                for source in range(node + 2):
                    for op in next(edges).values():
                        add(f"{name}.layers.{layer}.{rest}.from_" + ["s0", "s1", "n0", "n1", "n2"][source], op.body)
    table["feature.last_3.conv.weight"] = [net.project.body.conv.weight]
    table["matching.last_3.conv.weight"] = [net.last.weight]
    return table


def supernet(case, values):
    s = case["stereo"]
    net = StereoSupernet(s["channels"], case["width"], s["max_disparity"], s["feature_layers"], s["matching_layers"])
    table = owned(net)
    for name, tensors in table.items():
        for t, value in zip(tensors, values[name].split([len(t) for t in tensors])):
            t.data.copy_(value)
    others = ("left", "right", "truth", "matching.mapping")
    missing = [n for n in values if n not in table and n not in others and not n.endswith("temperature")]
    if missing:
        raise SystemExit(f"stereo_check.py: nothing here is {missing[0]}")
    return net, {n: ts for n, ts in table.items() if "running" not in n}


def derived(case, values):
    s, width = case["stereo"], case["width"]
    net = Stereo(s["channels"], width, s["max_disparity"], s["feature"], s["matching"])
    with torch.no_grad():
        for sub in ("feature", "matching"):
            assign_subnet(getattr(net, sub), values, sub, s[sub]["cell"], width)
        net.project.body.conv.weight.copy_(values["feature.last_3.conv.weight"])
        net.last.weight.copy_(values["matching.last_3.conv.weight"])
    return net, {
        "feature.stem.layers.0.conv.weight": [net.feature.stems[0].body.conv.weight],
        "matching.stem.layers.0.conv.weight": [net.matching.stems[0].body.conv.weight],
        "matching.last_3.conv.weight": [net.last.weight],
    }


def main():
    case, values = json.loads(sys.argv[1]), read(sys.argv[2])
    torch.set_num_threads(1)
    net, of = (supernet if case["task"] == "stereo-search" else derived)(case, values)
    steps = case["steps"]
    left, right = values["left"].chunk(steps), values["right"].chunk(steps)
    out = {}
    net.eval()
    with torch.no_grad():
        out["evaluated"] = torch.cat([net(l, r) for l, r in zip(left, right)])
        out["disparity"] = estimate(out["evaluated"])
    net.train()
    net.reset()
    cost = torch.cat([net(l, r) for l, r in zip(left, right)])
    loss = loss_of(cost, values["truth"])
    out["trained"], out["loss"] = cost, loss.reshape(1)
    gradients = iter(torch.autograd.grad(loss, [t for ts in of.values() for t in ts]))
    for name, ts in of.items():
        out[f"gradient.{name}"] = torch.cat([next(gradients) for _ in ts])
    write(sys.argv[3], out)


if __name__ == "__main__":
    main()
