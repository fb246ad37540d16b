"""Computes what a network gives for weights and images of another program.

    check.py CASE IN OUT

CASE is that of worker.py; IN and OUT are safetensors files. IN holds the
variables by the names of the Go program, "images" and "labels". OUT gets
    logits          with running statistics
    gradient.NAME   of the mean cross entropy of these logits
    trained.logits, after.NAME   of one training step
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F

from networks import Classifier
from worker import CLASSES, TrainStep

TYPES = {"F32": torch.float32, "I64": torch.int64}


def read(path):
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(length)), bytearray(f.read())
    tensors = {}
    for name, e in header.items():
        if name != "__metadata__":
            begin, end = e["data_offsets"]
            flat = torch.frombuffer(data[begin:end], dtype=TYPES[e["dtype"]])
            tensors[name] = flat.reshape(e["shape"]).clone()
    return tensors


def write(path, tensors):
    header, data = {}, b""
    for name, t in tensors.items():
        raw = t.detach().float().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def parts(name, layer, norm):
    """Names of the variables of a layer with normalisation."""
    owners = ((layer, "conv", ["weight", "bias"]), (norm, "norm", ["weight", "bias", "running_mean", "running_var"]))
    return {f"{name}.{kind}.{v}": [getattr(m, v)] for m, kind, vs in owners for v in vs}


def named(name, layer, norm, layer_name):
    return {k.replace(f"{name}.conv.", f"{name}.{layer_name}."): v for k, v in parts(name, layer, norm).items()}


def fans(cell, supernet):
    """The convolutions of a cell by the feature that they read, nodes in order."""
    by_source = {}
    if supernet:
        e = 0
        for j in range(cell.nodes):
            for s in range(2 + j):
                by_source.setdefault(s, []).extend(op.body for op in cell.edges[e])
                e += 1
    else:
        for node, ops in zip(cell.cell, cell.ops):
            for (s, _), op in zip(node, ops):
                by_source.setdefault(s, []).append(op)
    return by_source


def variables(net):
    """Tensors by their name in the Go program; those that are one there but
    several here come as a list, one after the other in the first dimension."""
    table = parts("stem", net.stem.body.conv, net.stem.body.norm)
    for i, cell in enumerate(net.cells):
        for s, bodies in fans(cell, net.supernet).items():
            name = f"cells.{i}.from_" + (f"s{s}" if s < 2 else f"n{s - 2}")
            for body in bodies:
                for k, v in parts(name, body.conv, body.norm).items():
                    table.setdefault(k, []).extend(v)
    table.update(named("head", net.head.linear, net.head.norm, "linear"))
    if net.auxiliary is not None:
        a = net.auxiliary
        layers = [(c.conv, c.norm) for c in a.convs] + [(a.linear, a.norm)]
        for i, (layer, norm) in enumerate(layers):
            for k, v in parts("x", layer, norm).items():
                kind, which = k[2:].split(".", 1)
                at = f"conv.{i}" if i < 2 else "linear"
                table[f"auxiliary.{at if kind == 'conv' else f'norm.{i}'}.{which}"] = v
    if net.supernet:
        table["alpha.normal"], table["alpha.reduction"] = [net.alphas[0]], [net.alphas[1]]
    return table


def load(net, given):
    table = variables(net)
    for name, tensors in table.items():
        for t, value in zip(tensors, given[name].split([len(t) for t in tensors])):
            t.data.copy_(value)
    missing = [n for n in given if n not in table and not n.endswith("temperature") and n not in ("images", "labels")]
    if missing:
        raise SystemExit(f"check.py: nothing here is {missing[0]}")


def main():
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    given = read(sys.argv[2])
    dtype = getattr(torch, case["precision"])
    net = Classifier(
        case["impl"] == "python-folded", dtype, case["steps"], case["width"], CLASSES, case["task"] == "search", case["nodes"]
    )
    load(net, given)
    images, labels = given["images"], given["labels"]
    results = {}
    net.eval()
    logits, _ = net(images)
    results["logits"] = logits
    table = {n: ts for n, ts in variables(net).items() if "running" not in n}
    flat = [t for ts in table.values() for t in ts]
    gradients = iter(torch.autograd.grad(F.cross_entropy(logits, labels), flat, allow_unused=True))
    for name, ts in table.items():
        found = [next(gradients) for _ in ts]
        if found[0] is not None:  # the auxiliary classifier has none
            results[f"gradient.{name}"] = torch.cat(found)
    net.train()
    step = TrainStep(net)
    with torch.no_grad():
        before = {n: [t.clone() for t in ts] for n, ts in variables(net).items()}
        results["trained.logits"] = net(images)[0]
        for n, ts in variables(net).items():  # that pass moved the statistics
            for t, b in zip(ts, before[n]):
                t.copy_(b)
    step(images, labels)
    for name, ts in variables(net).items():
        results[f"after.{name}"] = torch.cat(ts)
    write(sys.argv[3], results)


if __name__ == "__main__":
    main()
