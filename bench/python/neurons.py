"""LIF neurons with the Dspike surrogate, written twice: one step at a time, as
released SNN code does it, and over all steps at once.

    u_t = tau * u_{t-1} * (1 - y_{t-1}) + I_t,   y_t = 1 if u_t > 0.5 else 0

The surrogate's derivative is b/2 (1 - tanh^2(b (u - 0.5))) / tanh(b/2) inside
0 < u < 1. The reset is part of the graph.
"""
import math

import torch
from torch import nn

TAU, THRESHOLD = 0.2, 0.5


def surrogate(u, b):
    h = torch.tanh(b * (u - THRESHOLD))
    slope = (b / (2 * math.tanh(b / 2))) * (1 - h * h)
    return slope * ((u > 0) & (u < 1))


class Spike(torch.autograd.Function):
    """The step function; its gradient is the surrogate."""

    @staticmethod
    def forward(ctx, u, b):
        ctx.save_for_backward(u)
        ctx.b = b
        return (u > THRESHOLD).to(u.dtype)

    @staticmethod
    def backward(ctx, grad):
        (u,) = ctx.saved_tensors
        return grad * surrogate(u, ctx.b), None


class StepLIF(nn.Module):
    """One time step a call; the membrane lives in the module until reset()."""

    def __init__(self, b):
        super().__init__()
        self.b = b
        self.reset()

    def reset(self):
        self.u = self.y = None

    def forward(self, current):
        if self.u is None:
            self.u = current
        else:
            self.u = TAU * self.u * (1 - self.y) + current
        self.y = Spike.apply(self.u, self.b)
        return self.y


class FoldedScan(torch.autograd.Function):
    """All steps in one graph node: currents [T*N, ...], membranes in float32.

    The backward pass is written by hand, which saves the graph of T steps.
    """

    @staticmethod
    def forward(ctx, current, b, steps):
        parts = current.chunk(steps)
        spikes = torch.empty_like(current)
        out = spikes.chunk(steps)
        potentials = []
        v = None
        for t in range(steps):
            u = parts[t].float() if v is None else torch.add(parts[t], v, alpha=TAU)
            fired = u > THRESHOLD
            out[t].copy_(fired)
            v = u.masked_fill(fired, 0)
            potentials.append(u)
        ctx.save_for_backward(*potentials)
        ctx.b, ctx.steps, ctx.dtype = b, steps, current.dtype
        return spikes

    @staticmethod
    def backward(ctx, grad):
        potentials = ctx.saved_tensors
        parts = grad.chunk(ctx.steps)
        result = torch.empty_like(grad)
        out = result.chunk(ctx.steps)
        grad_v = None
        for t in reversed(range(ctx.steps)):
            u = potentials[t]
            slope = surrogate(u, ctx.b)
            if grad_v is None:
                grad_u = parts[t] * slope
            else:
                grad_u = (parts[t] - grad_v * u).mul_(slope)
                grad_u += grad_v.masked_fill(u > THRESHOLD, 0)
            out[t].copy_(grad_u)
            grad_v = grad_u.mul_(TAU)
        return result, None, None


class FoldedLIF(nn.Module):
    """All steps in one call."""

    def __init__(self, b, steps):
        super().__init__()
        self.b, self.steps = b, steps

    def reset(self):
        pass

    def forward(self, current):
        return FoldedScan.apply(current, self.b, self.steps)
