"""The side of a benchmark that is SpikingJelly; see worker.py, whose protocol it
speaks. `impl` is "spikingjelly" or "spikingjelly-dhs", `task` "train" or "infer".
"""
import torch

import worker
from spikingjelly_networks import Classifier, SpikeDHS


class Step(worker.TrainStep):
    """worker.TrainStep for networks that leave weights unused, as SpikeDHS does."""

    def __init__(self, net):
        self.net, self.weights, self.adam = net, net.weights(), None
        self.sgd = torch.optim.SGD(self.weights, 0.025, 0.9, weight_decay=3e-4, foreach=True)

    def gradients(self, loss, parameters):
        return torch.autograd.grad(loss, parameters, allow_unused=True)


def make(case):
    torch.manual_seed(1)
    device = torch.device(case.get("device", "cpu"))
    dtype = getattr(torch, case["precision"])
    if case["impl"] == "spikingjelly-dhs":
        net = SpikeDHS(dtype)
    else:
        net = Classifier(case["steps"], case["width"], worker.CLASSES, dtype)
    net = net.to(device).to(memory_format=torch.channels_last)
    side = case["size"]
    images = (torch.rand(case["batch"], 3, side, side) * 2 - 1).to(device)
    labels = torch.randint(worker.CLASSES, (case["batch"],)).to(device)
    if case["task"] == "train":
        step = Step(net)
        return images, lambda: step(images, labels)
    net.train()
    with torch.no_grad():  # statistics near those of training
        for _ in range(worker.SETTLING):
            net(torch.rand(worker.SETTLING_BATCH, 3, side, side, device=device) * 2 - 1)
    net.eval()

    def infer():
        with torch.no_grad():
            net(images)

    return images, infer


def main():
    case = worker.case_of_command()
    images, step = make(case)
    worker.serve(images.device, step)


if __name__ == "__main__":
    main()
