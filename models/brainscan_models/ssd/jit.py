"""Compiling kernels with Numba, and keeping their machine code where this user may keep something.

Numba's own cache needs Numba to read it, which takes half a second of every start. Here its optimised LLVM
code becomes an object file once; from then on llvmlite alone loads that, in milliseconds, and ctypes calls
it without the interpreter's lock.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite
import llvmlite.binding as llvm

from brainscan_models.ssd.object_cache import compiling_alone, read_object, write_object

Function = TypeVar("Function", bound=Callable[..., Any])
Kernel = Callable[..., None]

_SOURCES = ("kernels.py", "kernels_backward.py", "kernels_sequences.py", "vector.py", "records.py", "jit.py")
_MODULE = "brainscan_models.ssd.kernels_sequences"
# Beside LLVM's own, a kernel may call these of the C library; any other symbol cannot be resolved without
# Numba, and LLVM ends the process over one.
_ALLOWED = ("llvm.", "memcpy", "memmove", "memset", "rint", "sqrt")
# Code lives as long as what loaded it.
_kept_alive: list[Any] = []
# The threads of a first call would each compile the same kernel.
_loading = threading.Lock()


def stage(function: Function) -> Function:
    """Compile `function` into each of the kernels and stages that call it."""
    import numba

    # Python never calls one by itself: wrappers for that would only take time to compile.
    options = {"error_model": "numpy", "forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("Function", numba.njit(**options)(function))


def load_kernel(name: str, floats: str, n_tables: int) -> Kernel:
    """Give an entry point of `kernels_sequences` as machine code.

    Parameters
    ----------
    name : str
        Its name.
    floats : str
        ``float32`` or ``float64``.
    n_tables : int
        How many tables of addresses it takes after ``first, stop, numbers``.

    Returns
    -------
    callable
        ``kernel(first, stop, numbers, *tables)``, all but the first two addresses.

    Raises
    ------
    RuntimeError
        If this Numba does not compile it.
    """
    with _loading:
        return _load(name, floats, n_tables)


@cache
def _load(name: str, floats: str, n_tables: int) -> Kernel:
    key = f"{name}-{floats}-{_fingerprint()}"
    found = read_object(key)
    if found is None:
        with compiling_alone():
            found = read_object(key)
            if found is None:
                compiled = _compile(name, floats, n_tables)
                found = _as_object(compiled)
                if found is None:
                    _kept_alive.append(compiled)
                    return _callable(compiled.address, n_tables)
                write_object(key, *found)
    symbol, code = found
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _kept_alive.append(engine)
    return _callable(engine.get_function_address(symbol), n_tables)


def _callable(address: int, n_tables: int) -> Kernel:
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * (1 + n_tables))
    return cast("Kernel", kind(address))


@cache
def _fingerprint() -> str:
    """Name the very sources, compiler and processor that the machine code belongs to."""
    digest = hashlib.sha256(llvmlite.__version__.encode())
    for source in _SOURCES:
        digest.update((Path(__file__).parent / source).read_bytes())
    for property_of_machine in (llvm.get_default_triple(), *_processor()):
        digest.update(property_of_machine.encode() + b"\n")
    return digest.hexdigest()[:24]


def _processor() -> tuple[str, str]:
    """Return name and features of the processor to compile for: this one, unless Numba is told of another."""
    name, features = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        # A processor that is named has what its name says, not what this one has.
        features = "" if name else llvm.get_host_cpu_features().flatten()
    return name or llvm.get_host_cpu_name(), features


def _target_machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = _processor()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name,
        features=features,
        opt=3,
        jit=True,
        reloc="pic",
        codemodel="jitdefault",
    )


def _compile(name: str, floats: str, n_tables: int) -> Any:
    """Compile an entry point to a C function."""
    import numba
    from numba import types
    from numba.core.errors import NumbaError

    function = getattr(importlib.import_module(_MODULE), name)
    table = types.CPointer(types.CPointer(getattr(types, floats)))
    kind = types.void(types.int64, types.int64, types.CPointer(types.int64), *[table] * n_tables)
    try:
        return numba.cfunc(kind, error_model="numpy", forceinline=True)(function)
    except NumbaError as error:
        raise RuntimeError(f"numba {numba.__version__} cannot compile kernel {name}: {error}") from error


def _as_object(compiled: Any) -> tuple[str, bytes] | None:
    """Give a C function's symbol and object file; None if it needs what only Numba can provide."""
    module = llvm.parse_assembly(compiled.inspect_llvm())
    module.verify()
    if any(f.is_declaration and not f.name.startswith(_ALLOWED) for f in module.functions):
        return None
    return compiled.native_name, _target_machine().emit_object(module)
