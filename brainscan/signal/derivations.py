"""The graph behind a montage: channels as edges between electrodes and references.

What labels say becomes edges; duplicates, loose ends and groups that determine nothing leave the graph.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from difflib import get_close_matches

from brainscan.electrodes import ELECTRODES, INDEX
from brainscan.signal.labels import EARS, REFERENCES, Label, clean, parse, parse_all

REFERENCE = "REF"
"""Node of the common reference, also of labels that name none."""

REFERENCE_NODES = frozenset(REFERENCES.values())

COMMON_ELECTRODES = frozenset({"Cz", "FCz", "CPz", "Pz", "Fpz", "Oz"})
"""Electrodes that serve as a recording reference."""

IGNORE = "-"
"""Value in a channel map that takes a channel out."""

_ENOUGH_PAIRS = 10
_MAX_COMPONENTS = 3


@dataclass(frozen=True, slots=True)
class Edge:
    """One channel: the difference `first` minus `second` of two nodes."""

    channel: int
    first: str
    second: str
    label: Label
    mapped: bool = False

    @property
    def key(self) -> frozenset[str]:
        """The two nodes, whatever the direction."""
        return frozenset((self.first, self.second))

    def is_referential(self, common: str) -> bool:
        """Whether it measures an electrode against a reference rather than against another electrode."""
        return self.first not in EARS and (self.second in REFERENCE_NODES or self.second == common)


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the labels of a file say, read once.

    Parameters
    ----------
    edges : tuple of Edge
        In the order of the file.
    warnings : tuple of str
        About the channel map.
    """

    edges: tuple[Edge, ...]
    warnings: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that measure something between electrodes."""
        return tuple(edge.channel for edge in self.edges)


def wiring_of(labels: Sequence[str], channel_map: Mapping[str, str] | None = None) -> Wiring:
    """Read labels as edges; what names no electrode, or twice the same, gives none.

    Raises
    ------
    ValueError
        If a value of the channel map names no electrode, or two labels are mapped to one.
    """
    channel_map = channel_map or {}
    warnings = []
    wanted = {clean(name).upper(): value for name, value in channel_map.items()}
    known = {clean(label).upper() for label in labels}
    absent = [name for name in channel_map if clean(name).upper() not in known]
    if absent:
        near = get_close_matches(absent[0], labels, n=1)
        hint = f" (its labels are {', '.join(labels[:4])} …)" if len(absent) == len(channel_map) else ""
        hint = f" (did you mean {near[0]!r}?)" if near else hint
        warnings.append(f"the channel map names {', '.join(absent)}, which the recording lacks{hint}")
    mapped = {name: _mapped(name, value) for name, value in wanted.items()}
    _refuse_doubles(channel_map, mapped, known)
    edges = []
    for channel, (text, label) in enumerate(zip(labels, parse_all(labels), strict=True)):
        own = mapped.get(clean(text).upper())
        item = label if own is None else replace(own, text=label.text)
        if not item.first or item.first == item.second:
            continue
        edges.append(Edge(channel, item.first, item.second or REFERENCE, item, own is not None))
    return Wiring(tuple(edges), tuple(warnings))


def guesses(edges: Iterable[Edge]) -> Iterator[str]:
    """Say what was guessed to read the labels of some edges."""
    for edge in edges:
        if not edge.mapped and edge.label.zero_for_o:
            yield f"label {edge.label.text} is read as {edge.label.first} (zero for the letter O)"
        if not edge.mapped and edge.label.guess:
            yield edge.label.guess


def _refuse_doubles(channel_map: Mapping[str, str], mapped: Mapping[str, Label], known: Set[str]) -> None:
    """Refuse two labels of the recording that are mapped to one point: one of them would be passed over."""
    taken: dict[tuple[str, str], str] = {}
    for name, value in channel_map.items():
        key = clean(name).upper()
        label = mapped[key]
        if not label.first or key not in known:
            continue
        other = taken.setdefault((label.first, label.second), name)
        if other != name:
            raise ValueError(f"channel map: {other!r} and {name!r} are both mapped to {value}")


def _mapped(name: str, value: str) -> Label:
    if value.strip() in ("", IGNORE):
        return Label(clean(name))
    label = parse(value)
    if not label.first or label.zero_for_o:
        raise ValueError(f"channel map: {value!r} (for {name!r}) is no electrode")
    return label


def common_electrode(edges: Iterable[Edge]) -> str:
    """Return the electrode that at least ten pairs share as second point, or an empty string."""
    seconds = Counter(e.second for e in edges if e.second in COMMON_ELECTRODES)
    name, count = seconds.most_common(1)[0] if seconds else ("", 0)
    return name if count >= _ENOUGH_PAIRS else ""


def without_duplicates(
    edges: Sequence[Edge], dead: frozenset[int], *, by_electrode: bool
) -> tuple[list[Edge], tuple[tuple[str, int, int], ...]]:
    """Keep one channel of each that measure the same.

    Parameters
    ----------
    edges : sequence of Edge
    dead : frozenset of int
        Flat channels: of those that measure the very same, a live one is preferred.
    by_electrode : bool
        One referential channel an electrode is enough, preferably against the reference that most have.

    Returns
    -------
    kept : list of Edge
        In the order of the file.
    duplicates : tuple of (str, int, int)
        What is measured twice against the same reference, the channel that is used, the one that is not.
    """
    sizes = Counter(e.second for e in edges if e.first in INDEX and e.second not in INDEX)
    groups: dict[object, list[Edge]] = defaultdict(list)
    for edge in edges:
        alone = by_electrode and edge.first in INDEX and edge.second not in INDEX
        groups[edge.first if alone else edge.key].append(edge)

    def preference(e: Edge) -> tuple[int, ...]:
        return (not e.mapped, -sizes[e.second], not e.label.plain, e.channel)

    kept, duplicates = [], []
    for group in groups.values():
        best = min(group, key=preference)
        if not best.mapped:
            twins = [e.channel for e in group if e.key == best.key]
            flat = dead.intersection(twins) if len(twins) > 1 else frozenset()
            best = min(group, key=lambda e: (e.channel in flat, *preference(e)))
        kept.append(best)
        name = best.first if best.second == REFERENCE else f"{best.first}-{best.second}"
        spares = [e for e in group if e is not best and e.key == best.key and not best.mapped]
        duplicates += [(name, best.channel, e.channel) for e in spares]
    return sorted(kept, key=lambda e: e.channel), tuple(duplicates)


def merged_references(edges: list[Edge], warnings: list[str]) -> list[Edge]:
    """Join reference nodes that no channel ties together: they are treated as one, with a warning."""
    electrodes: dict[str, set[str]] = defaultdict(set)
    for e in edges:
        if e.first in INDEX:
            electrodes[e.second].add(e.first)
    component = _component_of(edges)
    separate = {component[reference]: reference for reference in reversed(electrodes)}
    if len(separate) < 2:
        return edges
    names = sorted(separate.values(), key=lambda r: -len(electrodes[r]))
    words = " and ".join(sorted("REF or none" if n == REFERENCE else n for n in names))
    warnings.append(
        f"electrodes are measured against different references ({words}) that no channel joins: treated as one"
    )
    other = set(names[1:])
    return [replace(e, second=names[0]) if e.second in other else e for e in edges]


def kept_edges(edges: list[Edge], warnings: list[str]) -> tuple[list[Edge], tuple[tuple[str, ...], ...]]:
    """Drop edges that determine nothing: loose ends outside the 19, and components that hold fewer than two.

    At most three components are kept (the double banana has three); what lies beyond counts as missing.
    """
    while True:
        degree = Counter(n for e in edges for n in (e.first, e.second))
        loose = [e for e in edges if any(degree[n] == 1 and n not in INDEX for n in e.key)]
        if not loose:
            break
        edges = [e for e in edges if e not in loose]
    component = _component_of(edges)
    members: dict[int, list[str]] = defaultdict(list)
    for name in ELECTRODES:
        if name in component:
            members[component[name]].append(name)
    large = sorted((c for c in members if len(members[c]) > 1), key=lambda c: (-len(members[c]), members[c][0]))
    dropped = [name for c in large[_MAX_COMPONENTS:] for name in members[c]]
    if dropped:
        warnings.append(f"{' '.join(dropped)} belong to no large group of derivations and count as missing")
    kept = large[:_MAX_COMPONENTS]
    edges = [e for e in edges if component[e.first] in kept]
    return edges, tuple(tuple(members[c]) for c in kept)


def _component_of(edges: Iterable[Edge]) -> dict[str, int]:
    """Return the connected component of each node, by name."""
    names = list(dict.fromkeys(n for e in edges for n in (e.first, e.second)))
    index = {name: i for i, name in enumerate(names)}
    roots = component_roots(len(names), [(index[e.first], index[e.second]) for e in edges])
    return {name: roots[i] for name, i in index.items()}


def component_roots(n_nodes: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """Return for each node the smallest node that it is connected to."""
    root = list(range(n_nodes))

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for first, second in edges:
        a, b = find(first), find(second)
        root[max(a, b)] = min(a, b)
    return [find(node) for node in range(n_nodes)]
