"""Compares the network of SpikingJelly's layers with the folded one of networks.py, at
equal weights and with the surrogate of both, and prints the largest differences of
logits and gradients over their largest value.

    spikingjelly_check.py CASE
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

import neurons
import networks
import spikingjelly_networks
from worker import CLASSES


def atan(u, _):
    return 1 / (1 + (math.pi * (u - neurons.THRESHOLD)) ** 2)  # alpha 2


def results(net, images, labels):
    """Statistics of a batch would be summed in another order by each of them, and a
    membrane at the threshold then fires in one network alone: running ones are taken."""
    net.train()
    for m in net.modules():
        if isinstance(m, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            m.eval()
    logits, second = net(images)
    loss = F.cross_entropy(logits, labels) + 0.4 * F.cross_entropy(second, labels)
    gradients = torch.autograd.grad(loss, list(net.parameters()))
    return {"logits": [logits], "auxiliary": [second], "gradients": gradients}


def main():
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    torch.manual_seed(1)
    neurons.surrogate = atan
    ours = networks.Classifier(True, torch.float32, case["steps"], case["width"], CLASSES, False, 3)
    theirs = spikingjelly_networks.Classifier(case["steps"], case["width"], CLASSES, torch.float32)
    for m in ours.modules():
        if isinstance(m, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            m.running_var.fill_(0.02)  # currents large enough that neurons fire in all layers
    for to, value in zip(theirs.state_dict().values(), ours.state_dict().values(), strict=True):
        to.copy_(value)
    images = torch.rand(case["batch"], 3, case["size"], case["size"]) * 2 - 1
    labels = torch.randint(CLASSES, (case["batch"],))
    one, other = results(ours, images, labels), results(theirs, images, labels)
    numbers = torch.cat([t.flatten() for t in one["gradients"]])
    answer = {"numbers": len(numbers), "not_zero": (numbers != 0).float().mean().item()}
    for name in one:
        largest = max(a.abs().max() for a in one[name])
        apart = max((a - b).abs().max() for a, b in zip(one[name], other[name], strict=True))
        answer[name] = (apart / largest).item()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
