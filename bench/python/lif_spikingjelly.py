"""Our neuron beside SpikingJelly's on the same tensors, in one process.

    lif_spikingjelly.py CASE

CASE is a JSON object:
    {"library": FILE (libspikedhs.so, built for this PyTorch), "device", "precision",
     "batch", "width", "steps", "size", "threads", "repeats", "seconds"}
Both compute u = 0.2 u (1 - y) + I with a threshold of 0.5, the reset in the gradient,
and the surrogate ATan with alpha 2. The first line compares spikes and gradients, the
others are bandwidths as `bench lif` gives them, each by one side in turn.
"""
import json
import statistics
import sys
import time

import torch
from spikingjelly.activation_based import functional, surrogate

from neurons import TAU, THRESHOLD
from spikingjelly_networks import fire

ALPHA = 2.0
ARCTAN = 3  # its number among the families of spikedhs::lif


def ours(case, device):
    temperature = torch.full((1,), ALPHA, device=device)

    def run(current):
        found = torch.ops.spikedhs.lif(
            current, temperature, TAU, THRESHOLD, case["steps"], None, False, ARCTAN, None
        )
        return found[0]

    return run


def theirs(case):
    atan = surrogate.ATan(alpha=ALPHA)

    def run(current):
        return fire(current.unflatten(0, (case["steps"], -1)), atan).flatten(0, 1)

    return run


def with_gradient(run, current, grad):
    spikes = run(current)
    return spikes.detach(), torch.autograd.grad(spikes, current, grad)[0]


def agreement(case, sides, current, grad):
    """What differs. A membrane at the threshold may round to either side of it; a
    neuron that fired otherwise once has another past from then on, so gradients are
    compared where all steps fired alike."""
    (spikes, gradient), (other, other_gradient) = [with_gradient(run, current, grad) for run in sides.values()]
    steps = case["steps"]
    alike = (spikes == other).unflatten(0, (steps, -1)).all(0).expand(steps, *[-1] * spikes.dim()).flatten(0, 1)
    largest = other_gradient.float().abs().max().item()
    apart = ((gradient - other_gradient).float().abs() * alike).max().item()
    return {
        "bench": "lif-agreement",
        "precision": case["precision"],
        "implementation": implementation(current.device),
        "firing_rate": spikes.float().mean().item(),
        "spikes_that_differ": (spikes != other).sum().item(),
        "spikes": spikes.numel(),
        "gradient_difference": apart / largest,  # over the largest gradient
    }


def implementation(device):
    """Which of its kernels SpikingJelly takes."""
    return functional.neuron_implementation("lif", device)["implementation"]


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(run, times, device):
    wait(device)
    began = time.perf_counter()
    for _ in range(times):
        run()
    wait(device)
    return time.perf_counter() - began


def main():
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    torch.ops.load_library(case["library"])
    torch.manual_seed(1)
    device = torch.device(case["device"])
    dtype = getattr(torch, case["precision"])
    shape = (case["steps"] * case["batch"], case["width"], case["size"], case["size"])
    current = (torch.rand(shape, device=device) * 2 - 1).to(dtype).requires_grad_()
    grad = torch.rand(shape, device=device).to(dtype)
    sides = {"spikedhs": ours(case, device), "spikingjelly": theirs(case)}
    print(json.dumps(agreement(case, sides, current, grad)), flush=True)

    target = torch.empty_like(grad)
    works = {("copy", "copy"): (2, lambda: target.copy_(grad))}
    for impl, run in sides.items():

        def forward(run=run):
            with torch.no_grad():
                run(current)

        works[impl, "forward"] = (2, forward)
        works[impl, "forward+backward"] = (5, lambda run=run: with_gradient(run, current, grad))
    size = current.numel() * current.element_size()
    times, samples = {}, {key: [] for key in works}
    for key, (_, run) in works.items():
        seconds_of(run, 2, device)  # compiled, memory taken
        times[key] = max(1, min(1000, round(case["seconds"] / seconds_of(run, 1, device))))
    for _ in range(case["repeats"]):
        for key, (units, run) in works.items():
            samples[key].append(units * size * times[key] / seconds_of(run, times[key], device) / 1e9)
    rates = {key: statistics.median(values) for key, values in samples.items()}
    copy = rates.pop(("copy", "copy"))
    for (impl, of), rate in rates.items():
        list_of = samples[impl, of]
        row = {key: case[key] for key in ("precision", "batch", "width", "steps", "size", "threads", "device")}
        row.update({"bench": "lif", "impl": impl, "pass": of, "surrogate": "arctan", "gb_per_s": rate, "copy_gb_per_s": copy})
        row.update({"share_of_copy": rate / copy, "spread": (max(list_of) - min(list_of)) / rate})
        row["rate_per_s"] = rate * 1e9 / works[impl, of][0] / current.element_size()
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
