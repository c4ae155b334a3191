"""Which backend a call gets, who can say so, and that no slow one is taken in silence."""

from __future__ import annotations

import subprocess
import sys
import threading
import types
import warnings
from pathlib import Path

import pytest
import torch

from brainscan_models.ssd import BACKENDS, available, backends, choose, mixer, set_backend, ssd, use_backend
from brainscan_models.ssd.mamba_ssm import import_error

X = torch.zeros(1, 3, 1, 2)


class OnCuda:
    """What `choose` looks at in a tensor, as it is on a GPU."""

    device = torch.device("cuda", 0)


@pytest.fixture
def asked_anew():
    """Let the questions that are asked once be asked in this test, and again after it."""
    questions = (backends._native_missing, backends._mamba_ssm_missing, backends._warn_slow)
    for question in questions:
        question.cache_clear()
    yield
    for question in questions:
        question.cache_clear()


@pytest.fixture
def default_backend():
    yield
    set_backend("auto")


def test_automatic_is_native_on_a_cpu():
    assert choose(X) == "native"


def test_precedence_argument_then_block_then_process(default_backend):
    set_backend("chunked")
    assert choose(X) == "chunked"
    with use_backend("reference"):
        assert choose(X) == "reference"
        assert choose(X, "native") == "native"
        with use_backend("auto"):
            assert choose(X) == "native"
    assert choose(X) == "chunked"


def test_a_block_ends_with_an_error_too():
    with pytest.raises(KeyError), use_backend("reference"):
        raise KeyError
    assert choose(X) == "native"


def test_a_block_holds_in_its_thread_only():
    seen = []
    with use_backend("reference"):
        other = threading.Thread(target=lambda: seen.append(choose(X)))
        other.start()
        other.join()
    assert seen == ["native"]


@pytest.mark.parametrize("ask", [set_backend, lambda name: choose(X, name), lambda n: use_backend(n).__enter__()])
def test_an_unknown_name_is_refused_with_the_known_ones(ask):
    with pytest.raises(ValueError, match="auto, reference, chunked, native, mamba_ssm, got 'cuda'"):
        ask("cuda")


def test_what_cannot_run_here_is_refused():
    with pytest.raises(ValueError, match="mamba_ssm needs data on a cuda device, got cpu"):
        ssd(X, X[..., 0], X[0, 0, :, 0], X[:, :, 0], X[:, :, 0], backend="mamba_ssm")
    with pytest.raises(ValueError, match="native needs data on a cpu device, got cuda:0"):
        choose(OnCuda, "native")


def test_the_report_names_every_backend():
    reports = {report.name: report for report in available()}
    assert set(reports) == set(BACKENDS) - {"auto"}
    assert reports["native"].usable
    assert all(report.detail for report in reports.values())


def test_without_numba_a_cpu_falls_back_with_one_warning(asked_anew, monkeypatch):
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    with pytest.warns(RuntimeWarning, match=r"numba is not installed.*pip install 'numba'"):
        assert choose(X) == "chunked"
    assert choose(X) == "chunked"  # a second warning would be an error
    with pytest.raises(ValueError, match="native cannot run here: numba is not installed"):
        choose(X, "native")


def test_a_compiler_that_fails_is_no_reason_to_fail(asked_anew, monkeypatch):
    def fail():
        raise RuntimeError("numba 9.9 cannot compile\nmore")

    monkeypatch.setattr("brainscan_models.ssd.native.prepare", fail)
    with pytest.warns(RuntimeWarning, match=r"RuntimeError: numba 9.9 cannot compile\)"):
        assert choose(X) == "chunked"


def test_a_gpu_without_its_kernels_warns_once_and_says_what_to_install(asked_anew, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    with pytest.warns(RuntimeWarning, match=r"mamba_ssm is not installed.*pip install 'brainscan\[gpu\]'"):
        assert choose(OnCuda) == "chunked"
    assert choose(OnCuda) == "chunked"


def test_what_is_only_named_warns_of_nothing(asked_anew, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    assert choose(OnCuda, ready=False) == choose(X, ready=False) == "chunked"
    with pytest.raises(ValueError, match="native cannot run here: numba is not installed"):
        choose(X, "native", ready=False)
    with pytest.warns(RuntimeWarning):
        choose(X)


def test_other_devices_use_plain_pytorch():
    assert choose(torch.zeros(1, device="meta")) == "chunked"


def test_exporters_see_plain_operations():
    def scan(x: torch.Tensor) -> torch.Tensor:
        return ssd(x, x[..., 0] ** 2, -torch.ones(1), x[:, :, 0], x[:, :, 0])

    class Module(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return scan(x)

    x = torch.randn(1, 5, 1, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.export.export(Module(), (x,))
    torch.testing.assert_close(exported.module()(x), scan(x))


@pytest.fixture
def kernels_stand_in(monkeypatch):
    """Put a stand-in where mamba_ssm's kernels would be: it computes what its documentation says."""
    calls = []

    def mamba_chunk_scan_combined(x, dt, A, B, C, chunk_size, D=None, dt_softplus=False):
        assert B.shape[2] == C.shape[2] == 1, "groups are the third dimension"
        calls.append(chunk_size)
        return ssd(x, dt, A, B[:, :, 0], C[:, :, 0], D, backend="reference")

    module = types.ModuleType("mamba_ssm.ops.triton.ssd_combined")
    module.mamba_chunk_scan_combined = mamba_chunk_scan_combined
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(backends, "_demand", lambda *_: None)
    return calls


def test_mamba_ssm_gets_its_arguments_in_its_form(kernels_stand_in, scan_arguments, mixer_arguments):
    arguments = scan_arguments((2, 20, 4, 4, 8))
    torch.testing.assert_close(ssd(*arguments, backend="mamba_ssm"), ssd(*arguments, backend="native"))
    arguments = mixer_arguments((2, 20, 4, 4, 8))
    for reverse in (False, True):
        sizes = {"headdim": 4, "d_state": 8, "reverse": reverse}
        got = mixer(*arguments, **sizes, backend="mamba_ssm")
        torch.testing.assert_close(got, mixer(*arguments, **sizes, backend="native"))
    assert len(kernels_stand_in) == 3
    assert import_error() is None


def test_mamba_ssm_that_cannot_be_imported_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mamba_ssm.ops.triton.ssd_combined", None)
    assert "Error" in (import_error() or "")


def test_importing_the_package_imports_no_compiler():
    check = "import sys, brainscan_models.ssd; print(sorted({'numba', 'llvmlite', 'mamba_ssm'} & set(sys.modules)))"
    models = Path(backends.__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", check], cwd=models, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


# N is read off B, so that a B too narrow makes C too wide.
@pytest.mark.parametrize(("wrong", "named"), [(1, "dt"), (2, "A"), (3, "C"), (4, "C"), (5, "D")])
def test_shapes_that_do_not_belong_together_are_named(scan_arguments, wrong, named):
    arguments = list(scan_arguments((2, 20, 4, 4, 8)))
    arguments[wrong] = arguments[wrong][..., :-1]
    with pytest.raises(ValueError, match=f"{named} needs shape"):
        ssd(*arguments)


@pytest.mark.parametrize("wrong", range(7))
def test_mixer_shapes_that_do_not_belong_together_are_named(mixer_arguments, wrong):
    arguments = list(mixer_arguments((2, 20, 4, 4, 8)))
    if wrong == 4:  # its length is the number of heads: everything else is then too long
        arguments = [argument if i == 4 else argument[..., :-1] for i, argument in enumerate(arguments)]
    else:
        arguments[wrong] = torch.cat([arguments[wrong]] * 2, dim=0 if wrong else 2)
    with pytest.raises(ValueError, match="needs shape"):
        mixer(*arguments, headdim=4, d_state=8)


def test_no_time_steps_are_refused(scan_arguments, mixer_arguments):
    with pytest.raises(ValueError, match="T >= 1"):
        ssd(*(a[:, :0] if a.ndim > 1 else a for a in scan_arguments((2, 20, 4, 4, 8))))
    zxbcdt, *weights = mixer_arguments((2, 20, 4, 4, 8))
    with pytest.raises(ValueError, match="T >= 1"):
        mixer(zxbcdt[:, :0], *weights, headdim=4, d_state=8)
