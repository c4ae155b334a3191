"""The scan, one time step after the other: the definition that every fast form is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def ssd_reference(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None = None) -> Tensor:
    """Run the selective state-space recurrence step by step.

    ``h_t = exp(dt_t A) h_{t-1} + dt_t x_t B_t^T`` and ``y_t = h_t C_t + D x_t`` with ``h_0 = 0``,
    separately in each head (Dao & Gu 2024, "Transformers are SSMs", eq. 2 with a scalar A).

    Parameters
    ----------
    x : Tensor, shape (batch, T, H, P)
        Input of H heads of P features.
    dt : Tensor, shape (batch, T, H)
        Step size, positive.
    A : Tensor, shape (H,)
        Decay rate, negative.
    B, C : Tensor, shape (batch, T, N)
        What enters the state and what is read from it, shared by the heads.
    D : Tensor, shape (H,), optional
        Weight of the direct path; None: no direct path.

    Returns
    -------
    Tensor, shape (batch, T, H, P)
    """
    state = x.new_zeros(x.shape[0], x.shape[2], x.shape[3], B.shape[2])
    decay = torch.exp(dt * A)
    steps = []
    # Taken apart at once: the gradient of every single step's slice would be as long as the whole.
    for x_t, dt_t, decay_t, B_t, C_t in zip(*(each.unbind(1) for each in (x, dt, decay, B, C)), strict=True):
        entering = (dt_t[..., None] * x_t)[..., None] * B_t[:, None, None, :]
        state = decay_t[..., None, None] * state + entering
        steps.append((state * C_t[:, None, None, :]).sum(-1))
    y = torch.stack(steps, dim=1)
    return y if D is None else y + D[:, None] * x
