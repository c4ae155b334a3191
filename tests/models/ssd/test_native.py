"""What the compiled kernels promise beside equality: threads, batches, modes."""

from __future__ import annotations

import multiprocessing
import threading
from functools import partial

import pytest
import torch

from brainscan_models.ssd import mixer, ssd, use_backend
from brainscan_models.ssd.layout import MixerShape, MixerWeights
from brainscan_models.ssd.native import native_mixer

EXTENT = (7, 50, 4, 4, 8)
whole = partial(mixer, headdim=4, d_state=8, backend="native")


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.isa
def test_the_number_of_threads_changes_no_bit(mixer_arguments, differentiate, threads):
    results = []
    for number in (1, 2, 3, 16):
        threads(number)
        results.append(differentiate(whole, mixer_arguments(EXTENT), torch.float32))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert torch.equal(one, two)


def test_a_sequence_alone_equals_itself_in_a_batch(mixer_arguments):
    zxbcdt, *weights = mixer_arguments(EXTENT)
    together = whole(zxbcdt, *weights)
    for i in range(EXTENT[0]):
        assert torch.equal(whole(zxbcdt[i : i + 1], *weights)[0], together[i])


def test_calls_from_several_threads_at_once(mixer_arguments, threads):
    threads(2)
    arguments = mixer_arguments(EXTENT)
    wanted = whole(*arguments)
    wrong = []

    def call() -> None:
        wrong.extend(1 for _ in range(20) if not torch.equal(whole(*arguments), wanted))

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def _in_child(queue, arguments, wanted):
    torch.set_num_threads(2)
    queue.put(torch.equal(whole(*arguments), wanted))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own(mixer_arguments, threads):
    threads(2)
    arguments = mixer_arguments(EXTENT)
    wanted = whole(*arguments)
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    child = fork.Process(target=_in_child, args=(queue, arguments, wanted))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get()


def test_an_error_in_a_thread_reaches_the_caller(mixer_arguments, threads, monkeypatch):
    threads(2)
    monkeypatch.setattr("brainscan_models.ssd.native.load_kernel", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        whole(*mixer_arguments(EXTENT))


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad], ids=["inference", "no_grad"])
def test_without_gradients_nothing_is_kept(mixer_arguments, mode):
    arguments = [argument.requires_grad_() for argument in mixer_arguments(EXTENT)]
    trained = whole(*arguments)
    with mode():
        y = whole(*arguments)
    assert not y.requires_grad
    assert torch.equal(y, trained.detach())


def test_training_keeps_little_beside_the_input(mixer_arguments):
    zxbcdt, *weights = mixer_arguments((19, 960, 16, 8, 16))
    zxbcdt.requires_grad_()
    kept = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        native_mixer(zxbcdt, MixerWeights(*weights), MixerShape(8, 16))
    del kept[zxbcdt.data_ptr()]
    assert sum(kept.values()) < 0.25 * zxbcdt.numel() * zxbcdt.element_size()


def test_strided_input(mixer_arguments):
    zxbcdt, *weights = mixer_arguments(EXTENT)
    strided = zxbcdt.transpose(0, 1).contiguous().transpose(0, 1)
    assert not strided.is_contiguous()
    assert torch.equal(whole(strided, *weights), whole(zxbcdt, *weights))


def test_the_input_is_left_alone(mixer_arguments, differentiate):
    arguments = mixer_arguments(EXTENT)
    before = [argument.clone() for argument in arguments]
    differentiate(whole, arguments, torch.float32)
    for argument, copy in zip(arguments, before, strict=True):
        assert torch.equal(argument, copy)


def test_autocast_and_half_precision_compute_in_float32(mixer_arguments):
    zxbcdt, *weights = mixer_arguments(EXTENT)
    wanted = whole(zxbcdt.bfloat16().float(), *weights)
    with torch.autocast("cpu", torch.bfloat16):
        y = whole(zxbcdt.bfloat16(), *weights)
        with use_backend("chunked"):
            plain = mixer(zxbcdt.bfloat16(), *weights, headdim=4, d_state=8)
    assert y.dtype == torch.bfloat16
    assert torch.equal(y, wanted.bfloat16())
    torch.testing.assert_close(plain, y, rtol=1e-2, atol=1e-2)


def test_scan_gradient_through_a_sum_is_contiguous_or_not(scan_arguments):
    # sum() hands back an expanded gradient, without memory of its own.
    leaves = [argument.requires_grad_() for argument in scan_arguments((2, 40, 4, 4, 8))]
    native = torch.autograd.grad(ssd(*leaves, backend="native").sum(), leaves)
    plain = torch.autograd.grad(ssd(*leaves, backend="reference").sum(), leaves)
    for a, b in zip(native, plain, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-4 * b.abs().max().item())
