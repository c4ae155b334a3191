"""What a note says about seizures: one, its beginning or end, none, or something that we do not understand.

A recording's notes are its truth only if every one of them is understood. So this is no search for words: a note is a
seizure if *each* of its words is known to belong to one (a number, a side, a type …), it is passed over if nothing in
it speaks of seizures or it plainly denies them, and everything else is *unclear*, which makes the file unusable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from brainscan.io import seizure_words as words
from brainscan.io.annotation_file import BACKGROUND, SEIZURE, label_of


class Meaning(Enum):
    """What a note says."""

    SEIZURE = "seizure"
    BACKGROUND = "background"
    FIRST = "first"  # a seizure begins
    LAST = "last"  # a seizure ends
    NONE = "none"  # nothing of a seizure
    DENIED = "denied"  # that there is no seizure
    NON_EPILEPTIC = "non-epileptic"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class NoteText:
    """A note, understood.

    Parameters
    ----------
    meaning : Meaning
    label : str
        Of a seizure: ``seiz``, a Temple or a HED-SCORE type; of a beginning the type that it tells.
    source : str
        Of a beginning or an end: ``eeg``, ``clinical``, or empty.
    number : str
        Of a beginning or an end: the running number of the seizure.
    weak : bool
        A beginning or an end that may be the recording's own (``EEG start``).
    plain : bool
        A label as it stands, nothing to be guessed.
    doubted : bool
        Says that it is not sure, or that it is not so.
    """

    meaning: Meaning
    label: str = ""
    source: str = ""
    number: str = ""
    weak: bool = False
    plain: bool = False
    doubted: bool = False


_NONE = NoteText(Meaning.NONE)
_HINT = re.compile("|".join(words.HINTS))
_NEUTRAL = re.compile("|".join(words.NEUTRAL))
_FREE = re.compile(words.FREE)
_ALL = words.NOUNS.union(
    words.FIRST, words.LAST, words.NEGATIONS, words.DOUBTS, words.FILLERS, words.CLINICAL, *words.TYPES.values()
)
_UNBROKEN = [word for word in _ALL if re.fullmatch(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]+", word)]
_JOINED = re.compile("|".join(sorted(_UNBROKEN, key=len, reverse=True)))  # scripts without blanks between words
_ELECTRODE = re.compile(r"(fp|af|f|fc|ft|c|cp|t|tp|p|po|o|a|m|sp)(z|\d{1,2})")
_PLACE = re.compile(
    r"(fronto|temporo|parieto|occipito|centro|orbito|mesio|hemi)?-?"
    r"(temporal|frontal|parietal|occipital|central|insular|hippocampal|zentral)(e|is|er|es|en|o|a)?"
)
_PREFIX = re.compile(r"^\s*(comment|annotation|event|note|marker|clip note)\s*[/:]\s*", re.IGNORECASE)
_SPELT = (
    (re.compile(r"\b(non|not|nicht)[\s-]?(epilep|epilett)\w+"), "nonepileptic"),
    (re.compile(r"\bpseudo[\s-]?(seizures?|sz|anfalle?|crises?)\b"), "pseudoseizure seizure"),
    (
        re.compile(
            r"\b(tonic|tonico|tonisch|toniczno|tonicko|tonique|tonisk|toni[ck]a?)[\s-]*[ck]loni(c|sche?r?|ca|que|czny|cky|sk)\b"
        ),
        "tonicclonic",
    ),
    (re.compile(r"\btonique[\s-]clonique\b"), "tonicclonic"),
    (re.compile(r"\b(focal|generali[sz]ed|unknown)[\s-]onset\b(?=.)"), r"\1"),
    (re.compile(r"\bstatus epilepticus\b|\bncse\b"), "seizure"),
    (re.compile(r"\bgrand[\s-]mal\b"), "tonicclonic"),
    (re.compile(r"\bpetit[\s-]mal\b"), "absence"),
    (re.compile(r"\bn[°º]"), "nr "),
    (re.compile(r"\bno\.? ?(?=\d)"), "nr "),
)
_NAMES = words.NOUNS | words.STAND_ALONE | words.ICTAL | {"tonicclonic", "pseudoseizure"}
_BESIDE = (
    words.FILLERS | words.SURE | words.PLACES | words.EEG | words.CLINICAL | frozenset().union(*words.TYPES.values())
)
_KNOWN = _NAMES | words.FIRST | words.LAST | words.ORDINALS | words.NUMBER_WORDS | words.NON_EPILEPTIC
_SWITCHED = frozenset({"on", "off"})  # an EEG that is switched on and off is the recording's
_UNCLEAR = NoteText(Meaning.UNCLEAR)


@lru_cache(maxsize=4096)
def understand(text: str) -> NoteText:
    """Say what a note means.

    >>> [understand(text).meaning.value for text in ("Seizure 2", "sz end", "kein Anfall", "seizure?", "eyes open")]
    ['seizure', 'last', 'denied', 'unclear', 'none']
    """
    text = _PREFIX.sub("", text)
    label = label_of(text)
    if label is not None and not (label.startswith("sz_") and _is_said_in_words(text)):
        meaning = Meaning.BACKGROUND if label == BACKGROUND else Meaning.SEIZURE
        return NoteText(meaning, label, plain=True)
    spelt = _spelt(text)
    left = _NEUTRAL.sub(" ", _FREE.sub(" ", spelt))
    cut = left != spelt
    for pattern, instead in _SPELT:
        left = pattern.sub(instead, left)
    tokens = _tokens(left)
    if not _speaks_of_seizures(left, tokens):
        return NoteText(Meaning.DENIED) if _FREE.search(spelt) else _NONE
    if cut:
        return _UNCLEAR
    return _of_tokens(left, tokens)


def _spelt(text: str) -> str:
    """Return a note's words apart, plain: ``sz_start``, ``SzStart``."""
    return words.plain(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text))


def _is_said_in_words(text: str) -> bool:
    """Whether a text only has the form of a HED-SCORE type: ``sz_start``, ``sz_possible``, ``sz_1``."""
    spelt = _spelt(text)
    told = set(spelt.split())
    others = words.FIRST | words.LAST | words.NEGATIONS | words.DOUBTS | words.NON_EPILEPTIC
    odd = told & others or re.search(r"[^\w\s-]|\b\d+\b", spelt) or _NEUTRAL.search(spelt) or _FREE.search(spelt)
    return bool(odd)


def _tokens(spelt: str) -> tuple[str, ...]:
    """Return the words of a note, those that are written together apart; a question mark counts as one."""
    parted = _JOINED.sub(lambda match: f" {match[0]} ", spelt)
    tokens: list[str] = []
    for token in re.findall(r"[^\W_]+(?:'[^\W_]+)?|[?#%~<>=*+&]", parted):
        tokens += _apart(token)
    return tuple(tokens)


def _apart(token: str) -> tuple[str, ...]:
    numbered = re.fullmatch(r"(\d{0,3})([^\W\d]+?)(\d{0,3})", token)
    if numbered and numbered[2] != token and numbered[2] in words.NOUNS | words.STAND_ALONE | words.NUMBER_WORDS:
        return tuple(part for part in numbered.groups() if part)
    for noun in words.COMPOUNDS:
        rest = token.removeprefix(noun)
        if rest != token and rest in words.FIRST | words.LAST | words.FILLERS | words.NUMBER_WORDS:
            return noun.removesuffix("s") if noun not in words.NOUNS else noun, rest
    return (token,)


def _speaks_of_seizures(spelt: str, tokens: Sequence[str]) -> bool:
    told = set(tokens)
    if _HINT.search(spelt) or told & (_NAMES | words.PLURALS):
        return True
    whose = told & (words.EEG | words.CLINICAL)
    if told & words.UNMISTAKEN:
        # "EEG onset of theta", "left temporal onset"; but "sleep onset" is none.
        return bool(whose) or all(
            token in words.DOUBTS or (_is_known(token) and token not in words.FILLERS) for token in tokens
        )
    return bool(whose and told & (words.FIRST | words.LAST) - _SWITCHED) and all(map(_is_known, tokens))


def _of_tokens(spelt: str, tokens: Sequence[str]) -> NoteText:
    told = set(tokens)
    if told & words.DOUBTS:
        return NoteText(Meaning.UNCLEAR, doubted=True)
    if told & words.NEGATIONS:
        return _of_denial(spelt, tokens)
    if not all(map(_is_known, tokens)) or told & words.PLURALS:
        return _UNCLEAR
    numbers = [token for token in tokens if token.isdecimal() or token in words.ORDINALS]
    first, last = bool(told & words.FIRST), bool(told & words.LAST)
    if len(numbers) > 1 or (first and last):
        return _UNCLEAR
    if told & words.NON_EPILEPTIC:
        return NoteText(Meaning.NON_EPILEPTIC)
    is_named = bool(told & _NAMES)
    source = "eeg" if told & words.EEG else "clinical" if told & words.CLINICAL else ""
    label, number = _type_of(told), numbers[0] if numbers else ""
    if first or last:
        sure = is_named or source == "clinical" or bool(told & words.UNMISTAKEN)
        return NoteText(Meaning.FIRST if first else Meaning.LAST, label, source, number, weak=not sure)
    return NoteText(Meaning.SEIZURE, label) if is_named else _UNCLEAR


def _of_denial(spelt: str, tokens: Sequence[str]) -> NoteText:
    """Return that there is none where a note says no more than that: ``no further seizures seen``."""
    rest = [token for token in tokens if token not in words.NEGATIONS]
    plainly = not words.SURE & set(rest) and all(
        token in words.NOUNS | words.PLURALS | words.SEEN or _is_beside(token) for token in rest
    )
    if plainly and not re.search(r"[,;:.!]\s*\w|\d", spelt):
        return NoteText(Meaning.DENIED)
    return NoteText(Meaning.UNCLEAR, doubted=True)


def _is_known(token: str) -> bool:
    """Whether a word beside a seizure changes nothing of there being one."""
    return token in _KNOWN or re.fullmatch(r"\d{1,3}", token) is not None or _is_beside(token)


def _is_beside(token: str) -> bool:
    return token in _BESIDE or _PLACE.fullmatch(token) is not None or _ELECTRODE.fullmatch(token) is not None


def _type_of(told: set[str]) -> str:
    """Return the Temple corpora's label of a type that is told in words; ``seiz`` where they have none."""
    types = {name for name, group in words.TYPES.items() if told & group}
    if "tonicclonic" in told or {"tonic", "clonic"} <= types or "tonic-clonic" in types:
        return "tcsz"
    for name, label in (("myoclonic", "mysz"), ("atonic", "atsz"), ("absence", "absz"), ("tonic", "tnsz")):
        if name in types:
            return label
    if "clonic" in types:
        return "cnsz"
    if "generalised" in types:
        return "gnsz" if "focal" not in types else SEIZURE
    if types & {"focal", "aware", "impaired"}:
        return "cpsz" if "impaired" in types else "spsz" if "aware" in types else "fnsz"
    return SEIZURE
