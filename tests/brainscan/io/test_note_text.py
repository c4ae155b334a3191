"""What notes of technicians say about seizures, in the words of many hospitals."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.io import seizure_words as words
from brainscan.io.note_text import Meaning, understand

SEIZURES = {
    "seiz": "seizure|Seizure 2|sz1|SZ 3|Sz#2|Seizure no. 2|seizure nr 2|2nd seizure|Seizure #12|seizure II|Seizure A"
    "|seizure_3"
    "|left temporal seizure|Seizure T3|right sz|Anfall|Anfall 2|epileptischer Anfall|Krampfanfall|Anfall rechts"
    "|Crise|Crise d'épilepsie|crise n°2|Crisis epiléptica|crisis|CRISIS 3|Crisi|Crisi epilettica|Crise epiléptica"
    "|Convulsão|Aanval|aanval 2|napad|Napad padaczkowy|záchvat|epileptický záchvat|Приступ|эпилептический приступ"
    "|припадок|发作|癫痫发作|发作2|発作|発作 2|てんかん発作|발작|nöbet|Nöbet 2|Kohtaus|epileptisk anfall|anfald"
    "|anfallet|roham|κρίση|criză|EEG seizure|electrographic seizure|clinical seizure|status epilepticus"
    "|seizure from sleep|ictal|ictal activity|SEIZURE (2)"
    "|Siezure 1|another seizure|szr 4|Comment/seizure|Note: Seizure 2"
    "|Sz_1|sz_2|2sz|ESz|seizure two|subclin sz|crise convulsiva|Epileptische aanval|Epileptiskt anfall|临床发作"
    "|Seizure-2|SZ-1|Seizure [2]|SEIZURE!!!|clear seizure",
    "fnsz": "Focal seizure|fokaler Anfall|crise focale|focal onset seizure|Focal seizure 3|crisis focal izquierda|fnsz",
    "gnsz": "generalized seizure|generalised sz|crise généralisée|generalisierter Anfall",
    "tcsz": "GTCS|gtcs 2|FBTCS 2|FBTC|Generalized tonic-clonic seizure|generalised tonic clonic seizure left"
    "|tonic-clonic"
    "|focal to bilateral tonic-clonic seizure|Crise tônico-clônica|Generalisierter tonisch-klonischer Anfall"
    "|crise tonico-clonique|grand mal seizure|Grand mal|2GTC|癫痫大发作|Bilateral tonic clonic|BTCS1",
    "absz": "Absence|absence seizure|crisis de ausencia|typical absence|Petit mal",
    "cpsz": "FIAS|focal impaired awareness seizure|complex partial seizure|FIAS 3",
    "spsz": "focal aware seizure|simple partial seizure",
    "mysz": "myoclonic seizure",
    "tnsz": "tonic seizure|tonischer Anfall",
    "cnsz": "clonic seizure",
    "atsz": "atonic seizure",
}
FIRSTS = (
    "Seizure onset|Comment/start of seizure|seizure start|Seizure 2 start|start of seizure|seizure_onset|sz_start|sz on"
    "|SZ ONSET|SzOnset|szonset|SeizureOnset|seizureStart|SZ_ON|nöbet başı|EEG onset"
    "|electrographic onset|EEG seizure onset|ictal onset|Clinical onset|clinical start|onset|left temporal onset"
    "|Anfallsbeginn|Anfallsanfang|Beginn Anfall|klinischer Beginn|début de crise|Début crise 2|inicio de crisis"
    "|Inicio clínico|inizio crisi|início da crise|begin aanval|aanvalsbegin|Anfallsstart|anfald start"
    "|začátek záchvatu|początek napadu|начало приступа|Nöbet başlangıcı|发作开始|発作開始|발작 시작"
)
LASTS = (
    "Seizure offset|seizure end|seizure stop|sz2 end|end of seizure|sz_end|sz off|seizure over|seizure ended"
    "|EEG offset|EEG end|clinical offset|clinical seizure end|offset|ictal end|Anfallsende|Ende Anfall"
    "|fin de crise|fin de la crisis|fine crisi|fim da crise|einde aanval|anfallsslut|anfall slutt|konec záchvatu"
    "|koniec napadu|конец приступа|nöbet bitişi|nöbet sonu|crise terminée|Seizure terminated|SZ_OFF|发作结束|発作終了"
)
DENIED = (
    "no seizure|No seizures seen|not a seizure|no clinical seizure|without seizures|no further seizures"
    "|seizure free|sz_none|NoSeizure|seizure-free|kein Anfall|keine Anfälle|anfallsfrei|pas de crise|sans crise"
    "|sin crisis|nessuna crisi|sem crise|geen aanval|geen aanvallen|ingen anfall|inget anfall|ikke anfald|brak napadu"
    "|bez záchvatu|нет приступа|nöbet yok|无发作|没有发作|発作なし|발작 없음"
)
UNCLEAR = (
    # doubts
    "seizure?|possible seizure|probable seizure|? sz|sz ??|seizure (possible)|fraglicher Anfall|V.a. Anfall"
    "|möglicher Anfall|Verdacht Anfall|crise possible|crisis dudosa|possibile crisi|r/o seizure"
    "|seizure vs artifact|seizure-like|onset?|Onset unclear|Anfallsbeginn?|sz_possible|PossibleSeizure"
    "|no definite seizure|kein sicherer Anfall|发作?|疑似发作"
    # several, or none and some
    "|seizures|3 seizures|Anfälle|cluster of seizures|seizure 2/3|No, seizure|No seizure 2|no. seizure"
    "|not seizure, artifact|no seizure until 10, then seizure|post-ictal, then seizure|interictal to ictal"
    # more than is understood
    "|seizure button|seizure button pressed|seizure detected by software|patient says seizure|febrile seizures"
    "|family reports seizure at 10|seizure evolves to bilateral|seizure 5 min|seizure 85%|seizure 10:32"
    "|Sz while eating|Crisis parcial vista|EEG onset F7 rhythmic theta|seizure start and end|convulsing"
    "|Nurse: pt seizing|pt seized|Anfallsverdacht|epileptic event|приступы|судороги|けいれん|抽搐|癫痫"
    # of seizures, but which?
    "|spasm|infantile spasms|aura|attack|panic attack|fit|tonic posturing left arm|clonic jerking|ictus"
    "|crise critique|insult"
    "|FAS|SE 2|FS|UEO|staring spell|CPS|ictal rhythm|patient had seizure|sz=1"
)
NOTHING = (
    "pre-ictal|preictal|interictal spikes|Interictal|post-ictal|postictal slowing|postiktal|präiktal"
    "|post-critique|intercritique|interictal epileptiform discharges|posictal|发作间期|発作後|发作后"
    "|after seizure|before the seizure|between seizures|nach Anfall|seizure history|history of seizures"
    "|anti-seizure medication|antiseizure|anticonvulsant given|antiepileptic drug|seizure precautions"
    "|seizure pads|seizure button test|Seizure button tested|test seizure button|seizure threshold|Krampfneigung"
    "|eyes open|HV start|photic 10 Hz|EEG recording start|start recording|absence of alpha|sleep onset"
    "|epileptiform discharge|spike|electrode status|O2 mask|on|off|start|end|recording end|electrode offset"
    "|No complaints|dictation|crisp|outfit|tension|PB event|patient event|movement onset|epilepsy monitoring unit"
    "|EEG on|EEG off|Augen auf|yeux ouverts|ojos cerrados|A1+A2 OFF|impedance check|Lights off|stimulus onset|"
)
NON_EPILEPTIC = (
    "PNES|psychogenic seizure|non-epileptic seizure|nesz|nonepileptic event|pseudoseizure|dissociative seizure"
    "|functional seizure|nicht-epileptischer Anfall|crise non épileptique|PNES 2"
)


def _cases() -> list[tuple[str, Meaning, str]]:
    cases = [(text, Meaning.SEIZURE, label) for label, texts in SEIZURES.items() for text in texts.split("|")]
    for texts, meaning in (
        (FIRSTS, Meaning.FIRST),
        (LASTS, Meaning.LAST),
        (DENIED, Meaning.DENIED),
        (UNCLEAR, Meaning.UNCLEAR),
        (NOTHING, Meaning.NONE),
        (NON_EPILEPTIC, Meaning.NON_EPILEPTIC),
    ):
        cases += [(text, meaning, "") for text in texts.split("|")]
    return cases


@pytest.mark.parametrize(("text", "meaning", "label"), _cases())
def test_what_a_note_says(text: str, meaning: Meaning, label: str) -> None:
    joined = re.search(r"[a-z][A-Z]", text) is not None
    for spelt in (text, text.upper() if text.isascii() and not joined else text, f"  {text} "):
        said = understand(spelt)
        assert said.meaning is meaning, spelt
        if meaning is Meaning.SEIZURE:
            assert said.label == label


@pytest.mark.parametrize(
    ("text", "source", "number", "weak"),
    [
        ("EEG onset", "eeg", "", False),
        ("EEG end", "eeg", "", True),
        ("EEG start", "eeg", "", True),
        ("electrographic seizure end", "eeg", "", False),
        ("clinical onset", "clinical", "", False),
        ("Seizure 3 start", "", "3", False),
        ("sz2 end", "", "2", False),
    ],
)
def test_marks_know_whose_they_are(text: str, source: str, number: str, weak: bool) -> None:
    said = understand(text)
    assert (said.source, said.number, said.weak) == (source, number, weak)


@pytest.mark.parametrize("text", ["seiz", "seizure", "SZ", "fnsz", "sz_foc_ia", "bckg", "Background"])
def test_labels_are_taken_as_they_stand(text: str) -> None:
    assert understand(text).plain


unknown = st.from_regex(r"[qxjw][a-z]{3,9}", fullmatch=True)


@given(st.sampled_from(sorted(words.NOUNS)), unknown, st.booleans())
def test_a_seizure_with_an_unknown_word_is_never_taken_nor_passed_over(noun: str, word: str, before: bool) -> None:
    text = f"{word} {noun}" if before else f"{noun} {word}"
    assert understand(text).meaning is Meaning.UNCLEAR


@given(unknown, unknown)
def test_words_of_other_things_are_no_seizure(first: str, second: str) -> None:
    assert understand(f"{first} {second}").meaning is Meaning.NONE


@given(st.sampled_from(sorted(words.NOUNS)), st.sampled_from(sorted(words.DOUBTS)))
def test_a_doubt_is_never_a_seizure(noun: str, doubt: str) -> None:
    said = understand(f"{doubt} {noun}")
    assert said.meaning is Meaning.UNCLEAR
    assert said.doubted


@given(st.text(max_size=40))
def test_any_text_has_a_meaning(text: str) -> None:
    assert understand(text).meaning in Meaning


@pytest.mark.parametrize("name", ["NOUNS", "FIRST", "LAST", "NEGATIONS", "DOUBTS", "PLURALS", "FILLERS", "PLACES"])
def test_words_stand_as_they_are_compared(name: str) -> None:
    group = getattr(words, name)
    assert all(words.plain(word) == word for word in group)
    if name in ("NOUNS", "PLURALS"):
        assert not group & (words.FIRST | words.LAST | words.NEGATIONS | words.DOUBTS | words.FILLERS)
