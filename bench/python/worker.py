"""One side of a benchmark: builds a case and then times steps on request.

The case is a JSON object in the first argument:
    {"task": "train"|"search"|"infer", "impl": "python-per-step"|"python-folded",
     "precision": "float32"|"bfloat16", "nodes", "width", "steps", "batch", "size", "threads"}
Each line "N" on standard input runs N steps and answers {"seconds": S}; the end
of the input answers {"peak_rss_mb": M} and ends the program.
"""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

from networks import Classifier


def folded_norms(net):
    """Folds batch normalisation into convolution and linear layers, for inference."""
    for m in net.modules():
        layer = getattr(m, "conv", None) or getattr(m, "linear", None)
        norm = getattr(m, "norm", None)
        if layer is None or not isinstance(norm, (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d)):
            continue
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        layer.weight.data *= gain.reshape([-1] + [1] * (layer.weight.dim() - 1))
        layer.bias.data = (layer.bias - norm.running_mean) * gain + norm.bias
        m.norm = torch.nn.Identity()


def build(case):
    torch.manual_seed(1)
    dtype = getattr(torch, case["precision"])
    folded = case["impl"] == "python-folded"
    supernet = case["task"] == "search"
    net = Classifier(folded, dtype, case["steps"], case["width"], 10, supernet, case["nodes"])
    if folded:
        net = net.to(memory_format=torch.channels_last)
    side = case["size"]
    images = torch.rand(case["batch"], 3, side, side) * 2 - 1
    labels = torch.randint(10, (case["batch"],))
    if case["task"] == "infer":
        net.eval()
        if folded:
            with torch.no_grad():
                folded_norms(net)

        def step():
            with torch.no_grad():
                return net(images)[0].sum().item()

        return step
    sgd = torch.optim.SGD(net.weights(), 0.025, 0.9, weight_decay=3e-4, foreach=folded)
    adam = torch.optim.Adam(net.alphas, 1e-3, weight_decay=1e-3) if supernet else None

    def lower(parameters, optimizer, clip):
        logits, second = net(images)
        loss = F.cross_entropy(logits, labels)
        if second is not None:
            loss = loss + 0.4 * F.cross_entropy(second, labels)
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
            p.grad = g
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        return loss.item()

    weights = net.weights()

    def step():
        loss = lower(weights, sgd, True)
        if supernet:
            lower(list(net.alphas), adam, False)
        return loss

    return step


def main():
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    step = build(case)
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak_rss_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
