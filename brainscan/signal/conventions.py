"""What all labels of a file have in common: running numbers, a word of its own, derivations without a separator.

One label alone says nothing of these: ``Fp1-G19`` may be a derivation and ``P3G2`` an input. The same word behind
sixteen electrodes is a reference, whatever it is called.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from brainscan.electrodes import INDEX
from brainscan.signal.names import (
    CANONICAL,
    EARS,
    PREFIX,
    REFERENCES,
    SEPARATORS,
    joined_pair,
    starts_with_electrode,
)

_ENOUGH_ELECTRODES = 16
_ENOUGH_NUMBERS = 10
_CUT_LENGTHS = (15, 16)  # of a label in a header; blanks at its end are gone

_LEADING = re.compile(
    r"^(?:(?:EEG|CHANNEL|CHAN|CH|NO|NR|N|E)[\s._:\-]*)?[#(\[]?(\d+)[)\]]?[\s.,;:_/|\\)\-]*(?=[A-Z])(.+)$"
)
_TRAILING = re.compile(r"^(.*?[A-Z0-9)\]+])[\s._:/|#\-]*(?:(?<=[\s._:/|#\-])|(?=[(\[]))[(\[]?(\d+)[)\]]?$")

# Words beside an electrode that name what is measured of it, or where: such channels are not its potential.
_MEASURES = re.compile(
    r"^(?:.*(?:IMP|OHM|\u03a9|\u2126|POW|SPECT|DELTA|THETA|ALPHA|BETA|GAMMA|SIGMA|FREQ|HZ|ENVEL|TREND|QUAL|STAT|RATE"
    r"|%|DB\b|\^2|V2$|MEG|EMG|EOG|ECG|EKG|NIRS|HBO|HBR|HHB|SPIKE|COUNT|ARTI|NOISE|DERIV|AMPL|PHASE|COHER|ENTROP"
    r"|SEF|AEEG|CSA|DSA|BSR|MARK|TRIG|TIME|INDEX|GRAD|TEMP|LAPL|CSD).*|CQ|EQ|CQI|Z|HF|LF|RMS|STD|SD2|MED|ICA|IC|BAD)$"
)

_MINUS = re.compile(r"-|/|VS|MINUS")
"""What makes a difference of two points; a word and a blank or ``_`` before a name is rather a prefix."""

_Key = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A label in the form that `parse` reads, and what was guessed for it (empty if nothing was).

    In one that is turned the two points have to change places.
    """

    text: str
    guess: str = ""
    is_turned: bool = False


def uncut(bodies: Sequence[str]) -> list[str]:
    """Complete what the sixteen characters of a header cut off: ``EEG FP1-(A1+A2)/`` beside ``EEG F7-(A1+A2)/2``."""
    parts = []
    for body in bodies:
        prefix, rest = _cut(body)
        head = starts_with_electrode(rest)
        parts.append((prefix + head, rest[len(head) :] if head else ""))
    counts = Counter(rest for _, rest in parts if rest)
    common, count = counts.most_common(1)[0] if counts else ("", 0)
    if count < _ENOUGH_NUMBERS:
        return list(bodies)
    return [
        head + common if len(body) in _CUT_LENGTHS and len(rest) > 1 and common.startswith(rest) else body
        for body, (head, rest) in zip(bodies, parts, strict=True)
    ]


def without_numbers(bodies: Sequence[str]) -> list[str]:
    """Take running numbers off, in front (``12: Fp1``) or behind (``Fp1-F7-12``), where ten labels or more carry them.

    The numbers of a running count differ; ``01`` for O1 does not run on.
    """
    result = list(bodies)
    for pattern, number, rest in ((_LEADING, 1, 2), (_TRAILING, 2, 1)):
        found = [pattern.match(body) for body in result]
        held = {
            i: (int(m.group(number)), m.group(rest).strip())
            for i, m in enumerate(found)
            if m and starts_with_electrode(_unprefixed(m.group(rest).strip()))
        }
        named = {starts_with_electrode(_unprefixed(rest)) for _, rest in held.values()}
        if len({n for n, _ in held.values()}) < _ENOUGH_NUMBERS or len(named) < _ENOUGH_NUMBERS:
            continue
        for i, (_, rest_of_it) in held.items():
            result[i] = rest_of_it
    return result


def _unprefixed(body: str) -> str:
    return _cut(body)[1]


def _cut(body: str) -> tuple[str, str]:
    """Return a known prefix with what separates it, and the rest."""
    found = PREFIX.match(body)
    return (found.group(), body[found.end() :].strip(" .")) if found else ("", body)


def shared_words(bodies: Sequence[str], readable: Sequence[bool]) -> list[Rewritten]:
    """Read what is unread by a word that sixteen of the 19 electrodes share, before or behind their names.

    Parameters
    ----------
    bodies : sequence of str
        Labels as `plain_text` gives them.
    readable : sequence of bool
        What is understood already, and stays.

    Returns
    -------
    list of Rewritten
        ``FP1-G19`` becomes ``FP1-REF``; so does ``REF-FP1``, which is turned: its potential is minus that of Fp1.
        Two such words leave open which is meant, and nothing is done.
    """
    result = [Rewritten(body) for body in bodies]
    for split, told in ((_before, "before"), (_behind, "behind")):
        words: dict[_Key, dict[int, str]] = defaultdict(dict)
        for i, item in enumerate(result):
            if not readable[i] and not item.is_turned:
                for key, rest in split(item.text):
                    words[key].setdefault(i, rest)
        shared = {key: held for key, held in words.items() if _is_common(held.values())}
        if len(shared) != 1:
            continue
        (((word, is_minuend), held),) = shared.items()
        guess = f"{word!r} {told} {len(held)} names of electrodes is an unknown word: taken for "
        guess += "a common reference" if told == "behind" else "a prefix"
        is_turned = told == "before" and is_minuend and word in REFERENCES
        if is_turned:
            guess = f"{word!r} stands before {len(held)} names of electrodes: read as reference minus electrode"
        elif told == "behind" and word in REFERENCES:
            guess = ""
        for i, rest in held.items():
            prefix, _ = _cut(result[i].text)
            has_word = is_turned or told == "behind"
            form = f"{rest}-{word if word in REFERENCES else 'REF'}" if has_word else rest
            told_of = "; ".join(filter(None, (result[i].guess, guess)))
            result[i] = Rewritten(prefix + form, told_of, is_turned)
    return result


def _is_common(rests: Iterable[str]) -> bool:
    named = {CANONICAL.get(starts_with_electrode(rest), "") for rest in rests}
    return len(named & INDEX.keys()) >= _ENOUGH_ELECTRODES


def _before(body: str) -> Iterator[tuple[_Key, str]]:
    """Yield the word before the first electrode (and whether a minus separates them), and what follows."""
    body = _unprefixed(body)
    for found in SEPARATORS.finditer(body):
        word, rest = body[: found.start()].strip(), body[found.end() :]
        if starts_with_electrode(word) == word and word:
            return
        if word and starts_with_electrode(rest):
            if not _MEASURES.match(word):
                yield (word, _MINUS.search(found.group()) is not None), rest
            return


def _behind(body: str) -> Iterator[tuple[_Key, str]]:
    """Yield the word behind an electrode (and whether anything separates them), and the electrode."""
    body = _unprefixed(body)
    head = starts_with_electrode(body)
    rest = body[len(head) :]
    word = re.sub(r"^[\s\-_:/\\|>.,;~=]+", "", rest).strip()
    if not head or not word or word.isdigit() or _MEASURES.match(word.strip("()[]{} ")):
        return
    inner = word.strip("()[]{} ")
    if inner in CANONICAL or inner in EARS or starts_with_electrode(inner) in CANONICAL:
        return  # a derivation, in whatever form
    yield (word, word != rest), head


def joined(bodies: Sequence[str], readable: Sequence[bool]) -> list[Rewritten]:
    """Read ``FP1F7`` as Fp1-F7 where most labels of the file are such pairs."""
    result = [Rewritten(body) for body in bodies]
    pairs = {i: pair for i, body in enumerate(bodies) if not readable[i] and (pair := joined_pair(_unprefixed(body)))}
    if len(pairs) < _ENOUGH_NUMBERS or 2 * len(pairs) <= len(bodies):
        return result
    first = "-".join(CANONICAL.get(token, token) for token in next(iter(pairs.values())))
    for i, (a, b) in pairs.items():
        result[i] = Rewritten(f"{a}-{b}", f"labels without a separator are read as derivations (such as {first})")
    return result
