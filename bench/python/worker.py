"""One side of a benchmark: builds a case and then times steps on request.

The case is a JSON object in the first argument:
    {"task": "train"|"search"|"infer", "impl": "python-per-step"|"python-folded",
     "precision": "float32"|"bfloat16", "nodes", "width", "steps", "batch", "size", "threads", "device"}
One line says that the case is built. Each line "N" on standard input runs N
steps and is answered by {"seconds": S}. The end of the input is answered by
{"peak_rss_mb": M, "peak_device_mb": D, "firing_rate": R} (D on CUDA, R for infer) and
ends the program.
"""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

from networks import Classifier, ConvNorm

CLASSES = 10
# Forward passes of one step each that settle the running statistics of
# normalisation before inference, and their batch; the Go side does the same.
SETTLING, SETTLING_BATCH = 30, 4


def fold(net):
    """Folds batch normalisation into convolution and linear layers, for
    inference, and converts the folded weights once."""
    for m in net.modules():
        layer = getattr(m, "conv", None) or getattr(m, "linear", None)
        norm = getattr(m, "norm", None)
        if layer is None or not isinstance(norm, (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d)):
            continue
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        layer.weight.data *= gain.reshape([-1] + [1] * (layer.weight.dim() - 1))
        layer.bias.data = (layer.bias - norm.running_mean) * gain + norm.bias
        m.norm = torch.nn.Identity()
        if isinstance(m, ConvNorm):
            layer.to(m.dtype)


def settle(net, size, device):
    """Forward passes in training mode: running statistics near those of training,
    so that neurons fire at realistic rates."""
    net.train()
    passes = SETTLING if net.style.folded else -(-SETTLING // net.style.steps)
    with torch.no_grad():
        for _ in range(passes):
            net(torch.rand(SETTLING_BATCH, 3, size, size, device=device) * 2 - 1)


def firing_rate(net, images):
    """Share of neurons that fire in a time step."""
    fired, count = [], []

    def look(_module, _inputs, spikes):
        fired.append(spikes.float().sum().item())
        count.append(spikes.numel())

    hooks = [n.register_forward_hook(look) for n in net.neurons]
    with torch.no_grad():
        net(images)
    for h in hooks:
        h.remove()
    return sum(fired) / sum(count)


class TrainStep:
    """One training step, or one of weights and one of alpha in the supernet."""

    def __init__(self, net):
        self.net = net
        self.weights = net.weights()
        foreach = net.style.folded
        self.sgd = torch.optim.SGD(self.weights, 0.025, 0.9, weight_decay=3e-4, foreach=foreach)
        self.adam = torch.optim.Adam(net.alphas, 1e-3, weight_decay=1e-3) if net.supernet else None

    def __call__(self, images, labels):
        self.lower(self.weights, self.sgd, 5.0, images, labels)
        if self.adam is not None:
            self.lower(list(self.net.alphas), self.adam, 0, images, labels)

    def lower(self, parameters, optimizer, clip, images, labels):
        logits, second = self.net(images)
        loss = F.cross_entropy(logits, labels)
        if second is not None:
            loss = loss + 0.4 * F.cross_entropy(second, labels)
        for p, g in zip(parameters, self.gradients(loss, parameters)):
            p.grad = g
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()

    def gradients(self, loss, parameters):
        return torch.autograd.grad(loss, parameters)


def make(case):
    """The network of a case, and a function that runs one step of it."""
    torch.manual_seed(1)
    device = torch.device(case.get("device", "cpu"))
    folded = case["impl"] == "python-folded"
    supernet = case["task"] == "search"
    dtype = getattr(torch, case["precision"])
    net = Classifier(folded, dtype, case["steps"], case["width"], CLASSES, supernet, case["nodes"]).to(device)
    if folded:
        net = net.to(memory_format=torch.channels_last)
    side = case["size"]
    images = (torch.rand(case["batch"], 3, side, side) * 2 - 1).to(device)
    labels = torch.randint(CLASSES, (case["batch"],)).to(device)
    if case["task"] != "infer":
        step = TrainStep(net)
        return net, images, lambda: step(images, labels)
    settle(net, side, device)
    net.eval()
    if folded:
        with torch.no_grad():
            fold(net)

    def step():
        with torch.no_grad():
            net(images)

    return net, images, step


def peak_mb():
    """The most memory that was in RAM. ru_maxrss would count the program that
    started this one."""
    try:
        with open("/proc/self/status") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(answer):
    print(json.dumps(answer), flush=True)


def serve(device, step, last=lambda: {}):
    """Answers the numbers of steps on standard input, then what last gives besides."""
    say({"torch": torch.__version__})
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        say({"seconds": time.perf_counter() - began})
    answer = {"peak_rss_mb": peak_mb()}
    if device.type == "cuda":
        answer["peak_device_mb"] = torch.cuda.max_memory_allocated() / 2**20
    say({**answer, **last()})


def case_of_command():
    """The case of the command line, with its threads set."""
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    torch.backends.cudnn.benchmark = True  # as on the other side
    return case


def main():
    case = case_of_command()
    net, images, step = make(case)
    infer = case["task"] == "infer"
    serve(images.device, step, lambda: {"firing_rate": firing_rate(net, images)} if infer else {})


if __name__ == "__main__":
    main()
