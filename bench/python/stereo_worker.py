"""One side of a benchmark of the stereo network; the protocol is that of worker.py.

The case has "task": "stereo-train", "stereo-search" or "stereo-stream", "batch",
"width", "steps", "threads", "device", and in "stereo": "rows", "columns", "channels",
"max_disparity" and the subnets "feature" and "matching", each with "path" and "cell";
for a search the numbers of cells "feature_layers" and "matching_layers" instead.
"""
import torch

from stereo import Stereo, estimate, loss_of
from stereo_supernet import SearchStep, StereoSupernet
from worker import case_of_command, serve

SETTLING = 5  # the Go side does the same


def stacks(case, steps, device):
    """Events in one pixel of ten."""
    s = case["stereo"]
    x = torch.randn(2, steps, case["batch"], s["channels"], s["rows"], s["columns"], device=device) / 1.645
    return x.clamp(-1, 1).trunc()


def batch(case, device):
    """Stacks of all time steps and made-up disparities."""
    s = case["stereo"]
    left, right = stacks(case, case["steps"], device)
    truth = torch.rand(case["steps"], case["batch"], s["rows"], s["columns"], device=device) * s["max_disparity"] / 2
    return left, right, torch.cat(list(truth))


def make(case):
    torch.manual_seed(1)
    device = torch.device(case.get("device", "cpu"))
    s = case["stereo"]
    if case["task"] == "stereo-search":
        net = StereoSupernet(s["channels"], case["width"], s["max_disparity"], s["feature_layers"], s["matching_layers"]).to(device)
        search, one, other = SearchStep(net, loss_of), batch(case, device), batch(case, device)
        return net, lambda: search(one, other)
    net = Stereo(s["channels"], case["width"], s["max_disparity"], s["feature"], s["matching"]).to(device)
    if case["task"] == "stereo-train":
        left, right, truth = batch(case, device)
        adam = torch.optim.Adam(net.parameters(), 1e-3)

        def step():
            net.train()
            net.reset()
            costs = [net(l, r) for l, r in zip(left, right)]
            loss = loss_of(torch.cat(costs), truth)
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            adam.step()

        return net, step
    net.train()
    with torch.no_grad():
        for _ in range(SETTLING):
            net.reset()
            net(*stacks(case, 1, device)[:, 0])
    net.eval()
    net.reset()
    left, right = stacks(case, 1, device)[:, 0]

    def step():
        with torch.no_grad():
            return estimate(net(left, right))

    return net, step


def main():
    case = case_of_command()
    _, step = make(case)
    serve(torch.device(case.get("device", "cpu")), step)


if __name__ == "__main__":
    main()
