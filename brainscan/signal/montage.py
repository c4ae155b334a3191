"""From channels to the 19 electrodes: one graph for every kind of recording.

Each used channel measures the difference of two nodes. A referential recording is a star around its reference,
a bipolar one a set of chains, two ear references are two stars that an A1-A2 channel joins. Within a connected
component all differences are determined; the offset between components is not observable, so each component is
centred over its members among the 19.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.detection import Found, How
from brainscan.electrodes import ELECTRODES, INDEX, MIDLINE, N_ELECTRODES
from brainscan.signal.derivations import (
    REFERENCE_NODES,
    Edge,
    Wiring,
    common_electrode,
    component_roots,
    guesses,
    kept_edges,
    merged_references,
    wiring_of,
    without_duplicates,
)
from brainscan.signal.interpolation import spline_weights

MIN_USABLE = 4
"""Below this many live electrodes nothing is interpolated."""

_REFERENTIAL = 16


@dataclass(frozen=True, slots=True)
class ElectrodeSource:
    """How one of the 19 is found, by label.

    Parameters
    ----------
    name : str
    found : {"present", "renamed", "derived", "missing"}
    labels : tuple of str
        Labels of the channels that touch it.
    """

    name: str
    found: Found
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ElectrodePlan:
    """Which channels make the 19 electrodes, and how.

    Parameters
    ----------
    sources : tuple of ElectrodeSource
        The 19, in order.
    channels : tuple of int
        Channels of the file that are used.
    edges : tuple of (int, int)
        For each used channel, the nodes whose difference (first minus second) it measures.
    nodes : tuple of str
        Names; the first 19 are the electrodes in order.
    bipolar : bool
        Electrodes come from chains of derivations, and no common average is taken.
    components : tuple of tuple of str
        Connected electrodes of the 19, largest first.
    duplicates : tuple of (str, int, int)
        What is measured twice, the channel that is used, the one that is not.
    warnings : tuple of str
    doubted : bool
        Amplitudes, gains or mains say that electrodes may be bad; `warnings` tell which.
    """

    sources: tuple[ElectrodeSource, ...]
    channels: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    nodes: tuple[str, ...]
    bipolar: bool
    components: tuple[tuple[str, ...], ...]
    duplicates: tuple[tuple[str, int, int], ...] = ()
    warnings: tuple[str, ...] = ()
    doubted: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """Electrodes that no label names, or that no kept component holds."""
        held = {name for component in self.components for name in component}
        return tuple(name for name in ELECTRODES if name not in held)

    @property
    def n_found(self) -> int:
        """How many of the 19 the labels name."""
        return sum(source.found != "missing" for source in self.sources)


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """The linear map of one window: used channels in µV to the 19 re-referenced electrodes.

    Parameters
    ----------
    matrix : array of float64, shape (19, n_used_channels)
        Rows of electrodes that are missing are zero.
    usable : tuple of bool
        The 19: a live channel determines it.
    how : tuple of {"recorded", "derived", "interpolated", "missing"}
        The 19.
    """

    matrix: NDArray[np.float64]
    usable: tuple[bool, ...]
    how: tuple[How, ...]

    def __post_init__(self) -> None:
        self.matrix.setflags(write=False)


def plan(
    labels: Sequence[str],
    *,
    channel_map: Mapping[str, str] | None = None,
    excluded: frozenset[int] = frozenset(),
    dead: frozenset[int] = frozenset(),
) -> ElectrodePlan:
    """Find the 19 electrodes among the labels of a file.

    Parameters
    ----------
    labels : sequence of str
        Of all channels, in the order of the file.
    channel_map : mapping of str to str, optional
        Label in the file to what it shall be read as (``T3``, ``Fp1-F7``, ``-`` for nothing).
    excluded : frozenset of int
        Channels that cannot be used at all (no calibration).
    dead : frozenset of int
        Channels that are flat; a live duplicate is preferred to them.

    Returns
    -------
    ElectrodePlan

    Raises
    ------
    ValueError
        If a value of the channel map names no electrode.

    Examples
    --------
    >>> plan(["EEG F7-REF", "EEG F3-REF"]).missing[:2]
    ('Fp1', 'C3')
    """
    return arranged(wiring_of(labels, channel_map), excluded, dead)


def arranged(
    wiring: Wiring, excluded: frozenset[int] = frozenset(), dead: frozenset[int] = frozenset()
) -> ElectrodePlan:
    """Find the 19 electrodes among labels that were read; see `plan`."""
    edges = [edge for edge in wiring.edges if edge.channel not in excluded]
    warnings = [*wiring.warnings, *dict.fromkeys(guesses(edges))]
    common = common_electrode(edges)
    by_reference = {e.first for e in edges if e.is_referential(common) and e.first in INDEX}
    by_pair = {n for e in edges if not e.is_referential(common) for n in e.key if n in INDEX}
    bipolar = len(by_reference | ({common} & INDEX.keys())) < _REFERENTIAL and not by_pair <= by_reference | {common}
    if not bipolar:
        # Derivations of the same electrodes add nothing; what ties two references together does.
        edges = [e for e in edges if e.is_referential(common) or e.key <= REFERENCE_NODES]
    edges, duplicates = without_duplicates(edges, dead, by_electrode=not bipolar)
    if not bipolar:
        edges = merged_references(edges, warnings)
    # `T4-A2` among derivations is one more derivation.
    mainly_referential = len(by_reference) >= len(by_pair)
    sources = _sources(edges, common, mainly_referential)
    edges, components = kept_edges(edges, warnings)
    nodes = (*ELECTRODES, *dict.fromkeys(n for e in edges for n in (e.first, e.second) if n not in INDEX))
    index = {name: i for i, name in enumerate(nodes)}
    warnings += _apart(components)
    channels = tuple(e.channel for e in edges)
    return ElectrodePlan(
        sources=sources,
        channels=channels,
        edges=tuple((index[e.first], index[e.second]) for e in edges),
        nodes=nodes,
        bipolar=bipolar,
        components=components,
        duplicates=tuple(d for d in duplicates if d[1] in channels),
        warnings=tuple(warnings),
    )


def _apart(components: Sequence[Sequence[str]]) -> list[str]:
    """Return what follows from groups of electrodes that no derivation joins."""
    sides = [c for c in components if not MIDLINE.issuperset(c)]
    warnings = []
    if len(sides) > 1:
        warnings.append(
            f"no derivation joins {' to '.join(' '.join(c) for c in sides)}: voltages between these groups were not"
            " recorded, and a seizure that shows there only is missed"
        )
    warnings += [
        f"no derivation joins {' '.join(c)} to the other electrodes: what they have in common against these was not"
        " recorded. The default detector was trained on such recordings; nothing needs to be done"
        for c in components
        if c not in sides
    ]
    return warnings


def _sources(edges: Sequence[Edge], common: str, mainly_referential: bool) -> tuple[ElectrodeSource, ...]:
    """Say for each of the 19 how its label is found."""
    sources = []
    for name in ELECTRODES:
        touching = [e for e in edges if name in e.key]
        own = [e for e in touching if mainly_referential and e.first == name and e.is_referential(common)]
        found: Found = "missing"
        if own:
            found = "present" if own[0].label.plain and not own[0].mapped else "renamed"
        elif touching:
            found = "derived"
        sources.append(ElectrodeSource(name, found, tuple(e.label.text for e in own or touching)))
    return tuple(sources)


@functools.lru_cache(maxsize=512)
def operator(plan: ElectrodePlan, bad: frozenset[int] = frozenset()) -> Operator:
    """Return the map from used channels to the 19, with some channels out of the graph.

    Parameters
    ----------
    plan : ElectrodePlan
    bad : frozenset of int
        Used channels (rows of `plan.channels`) that are unusable in this window.

    Returns
    -------
    Operator
        Least-squares solution on the live graph, centred per component over its members among the 19;
        unusable electrodes by spherical splines. Referential recordings get the common average over the
        19 after the interpolation. With fewer than four usable electrodes all are missing.
    """
    live = [row for row in range(len(plan.channels)) if row not in bad]
    edges = [plan.edges[i] for i in live]
    n_nodes = len(plan.nodes)
    matrix = np.zeros((N_ELECTRODES, len(plan.channels)))
    roots = np.asarray(component_roots(n_nodes, edges), dtype=np.int64)
    incidence = np.zeros((len(live), n_nodes))
    for row, (first, second) in enumerate(edges):
        incidence[row, first], incidence[row, second] = 1.0, -1.0
    potentials = np.linalg.pinv(incidence) if live else np.zeros((n_nodes, 0))
    usable = [False] * N_ELECTRODES
    for root in set(roots.tolist()):
        members = np.flatnonzero(roots[:N_ELECTRODES] == root)
        # A component with one member says nothing of it: its potential would be zero by definition.
        if len(members) < 2:
            continue
        rows = potentials[members]
        matrix[members[:, None], live] = rows - rows.mean(axis=0)
        for member in members:
            usable[member] = True
    sources = [i for i, u in enumerate(usable) if u]
    targets = [i for i, u in enumerate(usable) if not u]
    if len(sources) < MIN_USABLE:
        nothing: How = "missing"
        return Operator(np.zeros_like(matrix), (False,) * N_ELECTRODES, (nothing,) * N_ELECTRODES)
    if targets:
        matrix[targets] = spline_weights(sources, targets) @ matrix[sources]
    if not plan.bipolar:
        matrix -= matrix.mean(axis=0)
    how: list[How] = [_how(u, source.found) for u, source in zip(usable, plan.sources, strict=True)]
    return Operator(matrix, tuple(usable), tuple(how))


def _how(usable: bool, found: Found) -> How:
    if not usable:
        return "interpolated"
    return "derived" if found == "derived" else "recorded"


def loop_residual(plan: ElectrodePlan, block: NDArray[np.float64]) -> tuple[float, str]:
    """Return how badly closed loops of derivations fail to close.

    Parameters
    ----------
    plan : ElectrodePlan
    block : array of float64, shape (n_used_channels, n_samples)
        Microvolts of the used channels; NaN counts as zero.

    Returns
    -------
    residual_uv : float
        Largest RMS over the channels of what no set of potentials explains; 0 where there is no loop.
    derivation : str
        The one that fits worst, as ``first-second``.
    """
    if not plan.channels or not block.shape[1]:
        return 0.0, ""
    incidence = np.zeros((len(plan.channels), len(plan.nodes)))
    for row, (first, second) in enumerate(plan.edges):
        incidence[row, first], incidence[row, second] = 1.0, -1.0
    values = np.nan_to_num(block - np.nan_to_num(block).mean(axis=1, keepdims=True))
    unexplained = values - incidence @ (np.linalg.pinv(incidence) @ values)
    rms = np.sqrt((unexplained**2).mean(axis=1))
    worst = int(rms.argmax())
    first, second = plan.edges[worst]
    return float(rms[worst]), f"{plan.nodes[first]}-{plan.nodes[second]}"
