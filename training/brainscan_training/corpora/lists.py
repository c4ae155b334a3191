"""Corpora that tell the seizures of all recordings of a patient in one list: CHB-MIT and Siena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from brainscan_training.corpora.item import Corpus, Gathering, Item, Layout


@dataclass(frozen=True, slots=True)
class ListedCorpus:
    """How such a corpus is laid out.

    Parameters
    ----------
    layout : str
    folders, lists : str
        Patterns of a patient's folder and of the list inside.
    licence : str
    aliases : mapping
        Folders of a patient who has another folder.
    """

    layout: Layout
    folders: str
    lists: str
    licence: str
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def lists_below(self, root: Path) -> list[Path]:
        """Return the lists of a corpus, or of a single patient's folder."""
        return sorted((*root.glob(f"{self.folders}/{self.lists}"), *root.glob(self.lists)))

    def corpus(self, root: Path) -> Corpus:
        """Return the corpus; it has no splits of its own.

        A recording that no list names is unusable: it is not known to be background.
        """
        gathering = Gathering(root)
        for seizure_list in self.lists_below(root):
            folder = seizure_list.parent
            subject = self.aliases.get(folder.name, folder.name)
            for path in sorted(folder.glob("*.edf")):
                name = gathering.name(path)
                item = Item(path, name, source=self.layout, subject=subject, split="", licence=self.licence)
                gathering.add(item, seizure_list)
        return gathering.corpus(self.layout)


CHBMIT = ListedCorpus(
    layout="chbmit",
    folders="chb[0-9][0-9]",
    lists="chb[0-9][0-9]-summary.txt",
    licence="ODC-By 1.0 (CHB-MIT 1.0.0, PhysioNet)",
    # The same child, a year and a half later (the corpus' own notes).
    aliases=MappingProxyType({"chb21": "chb01"}),
)

SIENA = ListedCorpus(
    layout="siena",
    folders="PN[0-9][0-9]",
    lists="Seizures-list-PN[0-9][0-9].txt",
    licence="CC BY 4.0 (Siena Scalp EEG 1.0.0, PhysioNet)",
)
