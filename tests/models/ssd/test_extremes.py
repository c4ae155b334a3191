"""Input that a broken recording can bring: nothing overflows, and what is not a number is not hidden."""

from __future__ import annotations

import pytest
import torch

from brainscan_models.ssd import mixer, ssd

BACKENDS = ["reference", "chunked", "native"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_huge_step_forgets_everything_before_it(scan_arguments, backend):
    x, dt, A, B, C, D = scan_arguments((1, 40, 2, 8, 4))
    dt[:, 20] = 1e6
    y = ssd(x, dt, A, B, C, D, backend=backend)
    alone = ssd(x[:, 20:], dt[:, 20:], A, B[:, 20:], C[:, 20:], D, backend=backend)
    assert torch.isfinite(y).all()
    torch.testing.assert_close(y[:, 20:], alone, rtol=1e-5, atol=1e-5 * alone.abs().max().item())


@pytest.mark.parametrize("backend", BACKENDS)
def test_huge_steps_have_finite_gradients(scan_arguments, backend):
    arguments = scan_arguments((1, 40, 2, 8, 4))
    arguments[1].mul_(1e4)
    leaves = [argument.requires_grad_() for argument in arguments]
    gradients = torch.autograd.grad(ssd(*leaves, backend=backend).sum(), leaves)
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_in_nothing_out(mixer_arguments, backend):
    zxbcdt, *weights = mixer_arguments((2, 40, 4, 4, 8))
    y = mixer(torch.zeros_like(zxbcdt), *weights, headdim=4, d_state=8, backend=backend)
    assert torch.equal(y, torch.zeros_like(y))  # SiLU(0) gates everything away; the norm divides by its eps


@pytest.mark.parametrize("scale", [1e3, 1e-30], ids=str)
def test_the_mixer_bears_any_scale(mixer_arguments, differentiate, scale):
    zxbcdt, *weights = mixer_arguments((2, 40, 4, 4, 8))

    def whole(backend):
        return lambda *a: mixer(*a, headdim=4, d_state=8, backend=backend)

    got = differentiate(whole("native"), [zxbcdt * scale, *weights], torch.float32)
    wanted = differentiate(whole("reference"), [zxbcdt * scale, *weights], torch.float64)
    for a, b in zip(got, wanted, strict=True):
        assert torch.isfinite(a).all()
        torch.testing.assert_close(a.double(), b, rtol=0, atol=max(1e-4 * b.abs().max().item(), 1e-30))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_what_is_no_number_shows_and_stays_in_its_sequence(mixer_arguments, backend, value):
    zxbcdt, *weights = mixer_arguments((3, 40, 4, 4, 8))
    clean = mixer(zxbcdt, *weights, headdim=4, d_state=8, backend=backend)
    zxbcdt[1, 25, 20] = value  # in x
    y = mixer(zxbcdt, *weights, headdim=4, d_state=8, backend=backend)
    torch.testing.assert_close(y[[0, 2]], clean[[0, 2]], rtol=1e-5, atol=1e-6)
    # A matrix product takes it to the start of its chunk, the recurrence nowhere before its time.
    first = 16 if backend == "chunked" else 25
    torch.testing.assert_close(y[1, :first], clean[1, :first], rtol=1e-5, atol=1e-6)
    assert torch.isnan(y[1, 25:]).any()
