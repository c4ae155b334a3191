"""A SIMD vector as a Numba type: 64 bytes of float32 or float64, and what the scan kernels do with them.

Numba's own loops leave vectorising to LLVM, which cannot prove that arrays do not overlap and gives up on
the short inner loops of a scan. Here the width is explicit: 16 lanes of float32 or 8 of float64 whatever
the processor; LLVM splits them into the registers that it has. Vectors support ``+ - * /`` between
themselves and with scalars. Multiplications and additions may be fused. Arrays are bare pointers, so that
naming one costs no reference count; bounds are the caller's.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

from brainscan_models.ssd.records import VECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

_INT32 = ir.IntType(32)
# Terms of exp's Taylor series that |r| <= ln(2)/2 needs, and of atanh(s)/s that s <= 1/3 needs.
_EXP_TERMS = {32: 8, 64: 14}
_ATANH_TERMS = {32: 8, 64: 17}
# Between these exp is a normal number: no exponent overflows into the sign.
_EXP_RANGE = {32: (-87.0, 88.0), 64: (-708.0, 709.0)}
_MANTISSA_BITS = {32: 23, 64: 52}


class VectorType(types.Type):
    """The Numba type of a vector of `dtype`."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.lanes = VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Vector({dtype})")


class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, vector: VectorType) -> None:
        element = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(element, vector.lanes))


register_model(VectorType)(_VectorModel)


def operation(definition: Callable[..., Any]) -> Any:
    """Make a function that kernels can call from one that says what it returns and emits its code."""
    return intrinsic(definition)


def _bits(vector: Any) -> int:
    return 32 if isinstance(vector.element, ir.FloatType) else 64


def _constant(vector: Any, value: float) -> Any:
    return ir.Constant(vector, [value] * vector.count)


def _broadcast(builder: Any, vector: Any, value: Any) -> Any:
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(_INT32, 0))
    return _shuffle(builder, first, undefined, [0] * vector.count)


def _shuffle(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT32, len(lanes)), lanes))


def _pair_sums(builder: Any, a: Any, b: Any) -> Any:
    even = list(range(0, 2 * a.type.count, 2))
    odd = [lane + 1 for lane in even]
    return builder.fadd(_shuffle(builder, a, b, even), _shuffle(builder, a, b, odd))


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def _call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Call an LLVM intrinsic whose name ends in the type of its last argument."""
    vector = arguments[-1].type
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{vector.count}f{_bits(vector)}")
    return builder.call(function, arguments, fastmath=("reassoc",))


def _first_lanes(builder: Any, vector: Any, count: Any) -> Any:
    """Mark the first `count` lanes."""
    whole = ir.VectorType(_INT32, vector.count)
    lane = ir.Constant(whole, list(range(vector.count)))
    return builder.icmp_signed("<", lane, _broadcast(builder, whole, builder.trunc(count, _INT32)))


def _define_arithmetic(symbol: Callable[[Any, Any], Any], emit: str) -> None:
    """Give vectors one of the four operations, with each other and with scalars on either side."""

    class Template(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, kws: Any) -> Any:
            vectors = {kind for kind in args if isinstance(kind, VectorType)}
            scalars = [kind for kind in args if isinstance(kind, types.Float | types.Integer)]
            if len(args) == 2 and len(vectors) == 1 and not kws:
                vector = vectors.pop()
                if len(scalars) + sum(kind == vector for kind in args) == 2:
                    wanted = [vector if kind == vector else vector.dtype for kind in args]
                    return signature(vector, *wanted)
            return None

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = context.get_value_type(sig.return_type)
        sides = [arg if arg.type == vector else _broadcast(builder, vector, arg) for arg in args]
        return getattr(builder, emit)(*sides, flags=("contract",))

    infer_global(symbol)(Template)
    for kinds in ((VectorType, VectorType), (VectorType, types.Float), (types.Float, VectorType)):
        lower_builtin(symbol, *kinds)(lower)


_define_arithmetic(operator.add, "fadd")
_define_arithmetic(operator.sub, "fsub")
_define_arithmetic(operator.mul, "fmul")
_define_arithmetic(operator.truediv, "fdiv")


@operation
def lanes(_: Any, array: Any) -> Any:
    """Give the number of lanes in a vector of the array's dtype, a constant."""
    width = VectorType(array.dtype).lanes

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.get_constant(types.intp, width)

    return types.intp(array), emit


@operation
def load(_: Any, array: Any, index: Any) -> Any:
    """Read ``array[index : index + lanes]``."""
    kind = VectorType(array.dtype)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        address = builder.gep(args[0], [args[1]])
        pointer = builder.bitcast(address, context.get_value_type(kind).as_pointer())
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return kind(array, types.intp), emit


@operation
def store(_: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write a vector to ``array[index : index + lanes]``."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        address = builder.gep(args[0], [args[1]])
        pointer = builder.bitcast(address, args[2].type.as_pointer())
        builder.store(args[2], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), emit


@operation
def load_first(_: Any, array: Any, index: Any, count: Any) -> Any:
    """Read ``array[index : index + count]``, fewer values than lanes; the other lanes are zero."""
    kind = VectorType(array.dtype)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = context.get_value_type(kind)
        pointer = builder.bitcast(builder.gep(args[0], [args[1]]), vector.as_pointer())
        mask = _first_lanes(builder, vector, args[2])
        name = f"llvm.masked.load.v{vector.count}f{_bits(vector)}.p0"
        called = ir.FunctionType(vector, [pointer.type, _INT32, mask.type, vector])
        function = cgutils.get_or_insert_function(builder.module, called, name)
        align = ir.Constant(_INT32, array.dtype.bitwidth // 8)
        return builder.call(function, [pointer, align, mask, _constant(vector, 0.0)])

    return kind(array, types.intp, types.intp), emit


@operation
def store_first(_: Any, array: Any, index: Any, vector: Any, count: Any) -> Any:
    """Write the first `count` lanes of a vector to ``array[index : index + count]``."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = args[2]
        pointer = builder.bitcast(builder.gep(args[0], [args[1]]), value.type.as_pointer())
        mask = _first_lanes(builder, value.type, args[3])
        name = f"llvm.masked.store.v{value.type.count}f{_bits(value.type)}.p0"
        called = ir.FunctionType(ir.VoidType(), [value.type, pointer.type, _INT32, mask.type])
        function = cgutils.get_or_insert_function(builder.module, called, name)
        builder.call(function, [value, pointer, ir.Constant(_INT32, array.dtype.bitwidth // 8), mask])
        return context.get_dummy_value()

    return types.void(array, types.intp, vector, types.intp), emit


@operation
def prefetch(_: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]``, which may lie outside the array."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = builder.bitcast(builder.gep(args[0], [args[1]]), ir.IntType(8).as_pointer())
        called = ir.FunctionType(ir.VoidType(), [pointer.type, _INT32, _INT32, _INT32])
        function = cgutils.get_or_insert_function(builder.module, called, "llvm.prefetch.p0")
        to_read, near, data = (ir.Constant(_INT32, value) for value in (0, 3, 1))
        builder.call(function, [pointer, to_read, near, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


@operation
def broadcast(_: Any, array: Any, index: Any) -> Any:
    """Give ``array[index]`` in every lane."""
    kind = VectorType(array.dtype)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = builder.load(builder.gep(args[0], [args[1]]))
        return _broadcast(builder, context.get_value_type(kind), value)

    return kind(array, types.intp), emit


@operation
def zeros(_: Any, array: Any) -> Any:
    """Give the zero vector of the array's dtype."""
    kind = VectorType(array.dtype)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _constant(context.get_value_type(kind), 0.0)

    return kind(array), emit


@operation
def total(_: Any, vector: Any) -> Any:
    """Add the lanes up."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        start = ir.Constant(args[0].type.element, -0.0)
        return _call(builder, "vector.reduce.fadd", start.type, start, args[0])

    return vector.dtype(vector), emit


@operation
def pair_sums(_: Any, a: Any, b: Any) -> Any:
    """Add neighbouring lanes: the sums of `a`'s pairs, then those of `b`'s."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _pair_sums(builder, *args)

    return a(a, b), emit


@operation
def row_totals(_: Any, array: Any, index: Any) -> Any:
    """Add up each of the `lanes` vectors that follow each other from ``array[index]`` on."""
    kind = VectorType(array.dtype)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = context.get_value_type(kind)
        first = builder.bitcast(builder.gep(args[0], [args[1]]), vector.as_pointer())
        rows = [builder.gep(first, [ir.Constant(_INT32, row)]) for row in range(kind.lanes)]
        sums = [builder.load(row, align=array.dtype.bitwidth // 8) for row in rows]
        while len(sums) > 1:
            sums = [_pair_sums(builder, a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
        return sums[0]

    return kind(array, types.intp), emit


@operation
def twice_low(_: Any, vector: Any) -> Any:
    """Repeat each lane of the lower half twice."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _shuffle(builder, args[0], args[0], [lane // 2 for lane in range(vector.lanes)])

    return vector(vector), emit


@operation
def twice_high(_: Any, vector: Any) -> Any:
    """Repeat each lane of the upper half twice."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        half = vector.lanes // 2
        return _shuffle(builder, args[0], args[0], [half + lane // 2 for lane in range(vector.lanes)])

    return vector(vector), emit


@operation
def exp(_: Any, vector: Any) -> Any:
    """Exponentiate each lane, to a relative error of 1 + |x| times the dtype's.

    Below the range of normal numbers the result is the smallest of them, above it the largest; NaN stays.
    """

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        (x,) = args
        kind, bits = x.type, _bits(x.type)
        low, high = (_constant(kind, bound) for bound in _EXP_RANGE[bits])
        # Ordered comparisons are false for NaN, so that it passes.
        x = builder.select(builder.fcmp_ordered("<", x, low), low, x)
        x = builder.select(builder.fcmp_ordered(">", x, high), high, x)
        binary = builder.fmul(x, _constant(kind, 1.0 / math.log(2.0)))
        power = _call(builder, "rint", kind, binary)
        rest = builder.fsub(binary, power)
        series = [math.log(2.0) ** k / math.factorial(k) for k in range(_EXP_TERMS[bits])]
        result = _constant(kind, series.pop())
        while series:
            result = _multiply_add(builder, result, rest, _constant(kind, series.pop()))
        whole = ir.VectorType(ir.IntType(bits), kind.count)
        exponent = builder.shl(builder.fptosi(power, whole), _constant(whole, _MANTISSA_BITS[bits]))
        return builder.bitcast(builder.add(builder.bitcast(result, whole), exponent), kind)

    return vector(vector), emit


@operation
def log1p_unit(_: Any, vector: Any) -> Any:
    """Give log(1 + x) for 0 <= x <= 1, as 2 atanh(x / (2 + x)): relative precision also near 0."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        (x,) = args
        kind = x.type
        s = builder.fdiv(x, builder.fadd(x, _constant(kind, 2.0)))
        square = builder.fmul(s, s)
        series = [2.0 / (2 * k + 1) for k in range(_ATANH_TERMS[_bits(kind)])]
        result = _constant(kind, series.pop())
        while series:
            result = _multiply_add(builder, result, square, _constant(kind, series.pop()))
        return builder.fmul(result, s)

    return vector(vector), emit


@operation
def positive_part(_: Any, vector: Any) -> Any:
    """Give max(x, 0); NaN stays."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        zero = _constant(args[0].type, 0.0)
        return builder.select(builder.fcmp_ordered("<", args[0], zero), zero, args[0])

    return vector(vector), emit


@operation
def minus_magnitude(_: Any, vector: Any) -> Any:
    """Give -|x|."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        zero = _constant(args[0].type, 0.0)
        negated = builder.fsub(zero, args[0])
        return builder.select(builder.fcmp_ordered("<", args[0], zero), args[0], negated)

    return vector(vector), emit


def state_operations(count: int) -> tuple[Any, Any, Any]:
    """Make what reads, advances and writes `count` components of a state, held in registers as one tuple.

    LLVM keeps what is in memory in memory, since it cannot prove that nothing else is written there. The tuple's last
    entry is what the components gave out in the last step.
    """

    @operation
    def load_states(_: Any, array: Any, index: Any) -> Any:
        kind = VectorType(array.dtype)

        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            vector = context.get_value_type(kind)
            first = builder.bitcast(builder.gep(args[0], [args[1]]), vector.as_pointer())
            places = [builder.gep(first, [ir.Constant(_INT32, n)]) for n in range(count)]
            states = [builder.load(place, align=array.dtype.bitwidth // 8) for place in places]
            return context.make_tuple(builder, sig.return_type, [*states, _constant(vector, 0.0)])

        return types.UniTuple(kind, count + 1)(array, types.intp), emit  # type: ignore[attr-defined]

    @operation
    def advance_states(_: Any, held: Any, decay: Any, entering: Any, array: Any, into: Any, out_of: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            states = cgutils.unpack_tuple(builder, args[0])[:-1]
            decay, entering, array, into, out_of = args[1:]
            vector = decay.type

            def everywhere(index: Any, n: int) -> Any:
                place = builder.gep(array, [builder.add(index, ir.Constant(index.type, n))])
                return _broadcast(builder, vector, builder.load(place))

            # Two sums: one long chain of additions would be waited for.
            given = [_constant(vector, 0.0)] * 2
            for n, state in enumerate(states):
                added = builder.fmul(entering, everywhere(into, n), flags=("contract",))
                states[n] = _multiply_add(builder, decay, state, added)
                given[n % 2] = _multiply_add(builder, states[n], everywhere(out_of, n), given[n % 2])
            both = builder.fadd(*given, flags=("contract",))
            return context.make_tuple(builder, sig.return_type, [*states, both])

        return held(held, decay, entering, array, types.intp, types.intp), emit

    @operation
    def store_states(_: Any, array: Any, index: Any, held: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            states = cgutils.unpack_tuple(builder, args[2])[:-1]
            first = builder.bitcast(builder.gep(args[0], [args[1]]), states[0].type.as_pointer())
            for n, state in enumerate(states):
                builder.store(state, builder.gep(first, [ir.Constant(_INT32, n)]), align=array.dtype.bitwidth // 8)
            return context.get_dummy_value()

        return types.void(array, types.intp, held), emit

    return load_states, advance_states, store_states
