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
    """The derivative; one tensor is made and then changed in place."""
    scale = b / (2 * math.tanh(b / 2))
    h = torch.sub(u, THRESHOLD).mul_(b).tanh_()
    h.mul_(h).mul_(-scale).add_(scale)
    return h.masked_fill_((u <= 0).logical_or_(u >= 1), 0)


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
        return surrogate(u, ctx.b).mul_(grad), None


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


def scan(current, steps, keep):
    """Spikes of all steps, and the membrane potentials (float32) if they are kept."""
    spikes = torch.empty_like(current)
    whole = current.dtype == torch.float32
    potentials, v = [], None
    for x, y in zip(current.chunk(steps), spikes.chunk(steps)):
        u = x.float() if v is None else torch.add(x, v, alpha=TAU) if whole else v.mul_(TAU).add_(x)
        # Writing the comparison straight into the result is fast in float32 only.
        if whole:
            torch.gt(u, THRESHOLD, out=y)
            v = torch.addcmul(u, u, y, value=-1)
        else:
            fired = u > THRESHOLD
            y.copy_(fired)
            v = u.masked_fill(fired, 0) if keep else u.masked_fill_(fired, 0)
        if keep:
            potentials.append(u)
    return spikes, potentials


class FoldedScan(torch.autograd.Function):
    """All steps in one graph node: currents [T*N, ...], membranes in float32.

    The backward pass is written by hand, which saves the graph of T steps.
    """

    @staticmethod
    def forward(ctx, current, b, steps):
        spikes, potentials = scan(current, steps, True)
        ctx.save_for_backward(*potentials)
        ctx.b, ctx.steps = b, steps
        return spikes

    @staticmethod
    def backward(ctx, grad):
        result = torch.empty_like(grad)
        # Newest step first.
        of_step = zip(ctx.saved_tensors[::-1], grad.chunk(ctx.steps)[::-1], result.chunk(ctx.steps)[::-1])
        grad_v = None
        for u, g, out in of_step:
            grad_u = surrogate(u, ctx.b)
            if grad_v is None:
                grad_u.mul_(g)
            else:
                grad_u.mul_(g - grad_v * u)
                grad_u += grad_v.masked_fill_(u > THRESHOLD, 0)
            out.copy_(grad_u)
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
        if torch.is_grad_enabled():
            return FoldedScan.apply(current, self.b, self.steps)
        return scan(current, self.steps, False)[0]
