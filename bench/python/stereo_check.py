"""Computes what the stereo network gives for weights and stacks of another program.

    stereo_check.py CASE IN OUT

CASE is that of stereo_worker.py; IN and OUT are safetensors files. IN holds the
variables by the names of the Go program, "left" and "right" [T*N, C, H, W] and
"truth" [T*N, H, W]. OUT gets
    evaluated       the cost of all steps with running statistics, [T*N, bins, H, W]
    disparity       of these
    trained, loss   the cost with the batch's statistics, and its loss
    gradient.NAME   of that loss, for the stems and the last convolution
"""
import json
import sys

import torch

from check import read, write
from stereo import SKIP, Stereo, edge_ends, estimate, loss_of


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


def main():
    case, values = json.loads(sys.argv[1]), read(sys.argv[2])
    torch.set_num_threads(1)
    s, steps, width = case["stereo"], case["steps"], case["width"]
    net = Stereo(s["channels"], width, s["max_disparity"], s["feature"], s["matching"])
    with torch.no_grad():
        for sub in ("feature", "matching"):
            assign_subnet(getattr(net, sub), values, sub, s[sub]["cell"], width)
        net.project.body.conv.weight.copy_(values["feature.last_3.conv.weight"])
        net.last.weight.copy_(values["matching.last_3.conv.weight"])
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
    loss.backward()
    out["trained"], out["loss"] = cost, loss.reshape(1)
    out["gradient.feature.stem.layers.0.conv.weight"] = net.feature.stems[0].body.conv.weight.grad
    out["gradient.matching.stem.layers.0.conv.weight"] = net.matching.stems[0].body.conv.weight.grad
    out["gradient.matching.last_3.conv.weight"] = net.last.weight.grad
    write(sys.argv[3], out)


if __name__ == "__main__":
    main()
