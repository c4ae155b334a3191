"""The words in which hospitals note seizures, in the languages we have seen: data for `note_text`.

All words stand as `plain` makes them: lower case, without accents. Languages share words and nobody says which one a
note is in, so a list holds all of them; a word that means something else elsewhere stands in `HINTS` alone, where it
makes a note "not understood" but never a seizure.
"""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "ı": "i", "đ": "d", "’": "'", "–": "-", "—": "-", "‐": "-"})


def plain(text: str) -> str:
    """Return a text in lower case, without accents and other differences of spelling.

    >>> plain("Début de CRISE  n°2")
    'debut de crise no2'
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    return " ".join(unicodedata.normalize("NFC", bare).split())


def _words(text: str) -> frozenset[str]:
    return frozenset(plain(text).split())


NOUNS = _words(
    # English and its slips; German, Swedish, Norwegian, Danish; French, Spanish, Italian, Portuguese, Romanian, Dutch
    "seizure seiz sz szr esz siezure seisure seizur convulsion "
    "anfall anfalls krampfanfall anfallet anfald anfaldet krampeanfall krampeanfald "
    "crise crisis crisi convulsao criza aanval aanvals "
    # Polish, Czech, Croatian, Finnish, Hungarian, Turkish; Russian, Ukrainian, Greek
    "napad napadu zachvat zachvatu napadaj kohtaus roham nobet nobeti "
    "приступ приступа припадок припадка напад нападу κριση "
    # Chinese, Japanese, Korean, Arabic, Hebrew
    "发作 發作 癫痫发作 癲癇發作 発作 てんかん発作 발작 نوبة התקף"
)
"""One seizure, where nothing else is said."""

PLURALS = _words("seizures szs szrs convulsions anfalle anfaelle crises aanvallen napady zachvaty приступы припадки")

COMPOUNDS = ("seizure", "sz", "krampfanfalls", "krampfanfall", "anfalls", "anfall", "anfalds", "aanvals", "nobet")
"""Nouns that are written together with what follows: *Anfallsbeginn*, *szonset*."""

TYPES: dict[str, frozenset[str]] = {
    "focal": _words(
        "focal fokal fokaler fokale fokala fokalt focale focaal foc partial partiell partieller partielle parcial "
        "parziale partieel ogniskowy ogniskowe fokalni фокальный фокальная 局灶性 焦点"
    ),
    "generalised": _words(
        "generalized generalised gen generalisiert generalisierter generalisierte generalisee generalizada "
        "generalizado generalizzata gegeneraliseerd gegeneraliseerde generaliserad generaliserat generaliseret "
        "uogolniony generalizovany генерализованный jeneralize 全身性 全般"
    ),
    "tonic": _words("tonic tonisch tonischer tonique tonica tonisk toniczny tonicky тонический 强直"),
    "clonic": _words("clonic klonisch klonischer clonique clonica klonisk kloniczny klonicky клонический 阵挛"),
    "tonic-clonic": _words(
        "gtcs gtc gtcsz gtcs btcs btc fbtcs fbtc fbtcsz sgtcs sgtc gtka gtks cgtc ctcg tcs tonicoclonica 大发作 "
        "tonicoclonique tonicclonic tonischklonisch tonischklonischer toniczno tonicko тоникоклонический 强直阵挛"
    ),
    "myoclonic": _words("myoclonic myoklonisch myoklonischer myoclonique mioclonica miokloniczny"),
    "atonic": _words("atonic atonisch atonischer atonique atonica atonisk"),
    "absence": _words("absence absenz absans absencja ausencia assenza abs absencni"),
    "aware": _words("aware fas sps simple einfach einfacher semplice"),
    "impaired": _words("impaired unaware dyscognitive fias cps complex komplex komplexer complexe compleja complessa"),
}
"""Words of a type; several of them together make one, see `note_text`."""

STAND_ALONE = _words(
    "大发作 gtcs gtc gtcsz btcs fbtcs fbtc fbtcsz sgtcs sgtc gtka gtks cgtc ctcg fias absence absenz absans "
    "absencja ausencia"
)
"""Types that are a seizure without the word."""

NON_EPILEPTIC = _words(
    "nesz pnes pnea nea nonepileptic psychogenic pseudoseizure pseudo functional dissociative psychogen psychogener "
    "dissoziativ dissoziativer psychogene psicogena psicogene psykogen nonepileptique"
)

FIRST = _words(
    "onset onsets start starts started begin begins began beginning on beginn anfang debut inicio inizio esordio "
    "aanvang poczatek zacatek pocetak alku kezdete baslangic baslangici basi basladi inceput debutul начало "
    "початок εναρξη "
    "开始 開始 시작 بداية"
)
LAST = _words(
    "offset offsets end ends ended ending stop stops stopped off over finish finished termination terminated ende "
    "schluss fin final fim termino fine termine einde eind slut slutt koniec konec kraj loppu vege bitis bitisi "
    "bitti sonu beendet vorbei terminee terminada "
    "sfarsit конец окончание кінець τελος 结束 結束 終了 終止 종료 نهاية"
)
ICTAL = _words("ictal iktal ictale ictaux иктальный")
"""Adjectives that stand for the noun."""

UNMISTAKEN = _words("onset onsets offset offsets")
"""What is said of seizures alone: a recording starts and ends, but it has no onset."""

EEG = _words(
    "eeg ieeg seeg ecog electrographic electrographical elektrographisch electrographique electrografica "
    "electrique electrico elettrico"
)
CLINICAL = _words(
    "clinical clin klinisch klinischer klinische clinique clinico clinica kliniczny klinicky klinisk 临床 臨床"
)

ORDINALS = _words("first second third fourth fifth 1st 2nd 3rd 4th 5th i ii iii iv v vi a b c one two three four")
NUMBER_WORDS = _words("number nr no num numero nummer numer n cislo #")

PLACES = _words(
    "left right l r lt rt li re lh rh bilateral bilat links rechts linksseitig rechtsseitig gauche droite droit "
    "izquierda izquierdo derecha derecho sinistra destra esquerda direita lewy lewa prawy prawa venstre vanster "
    "hoyre "
    "hoger hojre sol sag hemisphere hemispheric multifocal midline mesial vertex"
)
FILLERS = _words(
    "of the an in de d du des del della di da do la le les el l van von der die das ein eine un une una to "
    "type typ tipo event episode activity aktivitat discharge pattern muster epileptic epilepticus epileptisch "
    "epileptischer epileptischen epileptique epileptica epilettica epileptisk d'epilepsie epilepsie motor hypermotor "
    "hyperkinetic awareness subclinical subklinisch electroclinical elektroklinisch convulsive nonconvulsive "
    "subclin convulsiva "
    "convulsivo epileptische epileptiskt epi ep infraclinique судорожный 癫痫 癲癇 てんかん "
    "evolving brief short long typical habitual spontaneous induced nocturnal sleep asleep awake wake wakefulness "
    "rem nrem n1 n2 n3 from out during while padaczkowy padaczkowe epilepticky эпилептический эпилептического "
    "epileptik epileptisen another next new recorded"
)
"""Words beside a seizure that change nothing of what it is."""

SURE = _words("definite certain confirmed clear sicher sicherer eindeutiger")
"""With a negation they doubt: *no definite seizure*."""

SEEN = _words(
    "a seen noted recorded observed captured yet further more other another any this activity during "
    "eeg record recording today night weiteren weitere weiterer mehr other autre plus mas otra altra hay enregistree"
)
"""Words of a sentence that says there was none."""

NEGATIONS = _words(
    "no not non without none nil never denies negative kein keine keinen keiner nicht ohne sans pas aucun aucune sin "
    "ningun ninguna nessun nessuna senza sem nenhum nenhuma nao geen niet zonder ingen inga inget ikke utan uten "
    "uden "
    "nie bez brak zaden zadny zadne nebyl ei не нет без немає yok degil nincs 无 無 没有 非 なし ない 없음 לא"
)
DOUBTS = _words(
    "? unclear uncertain unsure unknown unklar unsicher incertain incierto incerto possible possibly probable "
    "probably likely questionable suspected suspect suspicious maybe perhaps query vs "
    "versus fraglich fraglicher moglich moglicher wahrscheinlich verdacht evtl eventuell vermutlich douteux douteuse "
    "suspicion posible dudosa sospecha possibile sospetta probabile dubbia possivel provavel suspeita mogelijk "
    "mogelijke waarschijnlijk mulig mojlig muligt mozliwy podejrzenie mozny podezreni возможно вероятно подозрение "
    "supheli olasi 可能 疑似 疑い 의심"
)

HINTS = (
    r"(?<![^\W\d_])(e?sz|szr|szs|seiz)(?![^\W\d_])",
    r"^(fas|fs|se|ncs|es|ueo|uco|eec)\W*\d*\W*$|\bspells?\b|\bpetit mal\b",
    r"sei?zur|\bseiz(e|ed|es|ing)\b|siezur|seisur|ictal|iktal|ikta[ln]|convuls|konvuls|epileptic\b|epilepticus|epilepti[sqk]",
    r"anfall|anfaell|anfald|krampf|\bkramp(er)?\b|aanval|\binsult|\btoeval",
    r"\bcris[ei]s?\b|\bcriz[ae]\b|\bataques?\b|\battacc[oh]|\battaques?\b|\battacks?\b|\bictus\b|\bcritiques?\b",
    r"napad|zachvat|kohtau|\broham|nobet|приступ|припад|судорог|иктал|напад|κρισ|επιληπτικ",
    r"发作|發作|癫痫|癲癇|発作|てんかん|痙攣|けいれん|抽搐|발작|경련|نوبة|تشنج|התקף|פרכוס",
    r"\bspasms?\b|\babsence|\babsen[zc]|\babsans|\bausencia|\bassenz|\baura\b|\bfits?\b$|\bstatus epi",
    r"\bncse\b|\bpnes\b|\bnesz\b",
    r"\b(tonic|clonic|tonisch\w*|klonisch\w*|tonique|clonique|tonico|tonica|clonica)\b",
    r"(?<![^\W\d_])(gtcs?|gtcsz|f?btcs?|sgtcs?|gtka|gtks|cgtc|ctcg|fias|cps|sps)(?![^\W\d_])",
)
"""What makes a note one about seizures, whether or not it is understood."""

NEUTRAL = (
    # before, between, after
    r"\b(pre|pra|post|inter|inter-?|non)[\s-]?(ictal|iktal|ictus|ictale|critique|critico|critica)\w*",
    r"\b(postkonvulsiv|postconvulsive|posictal|interikt|poiktal|preikt|postikt|pseudoictal)\w*",
    r"\b(pre|post)[\s-]?(seizure|sz|anfall|crise|crisis|crisi)\w*\b",
    r"\b(after|before|between|since|prior to|nach|vor|zwischen|apres|avant|despues de|antes de|dopo|depois d[ae])"
    r"( the| la| le| dem| den| einem| last)? (seizures?|sz|szs|anfall|anfallen|crises?|crisis|crisi)\b",
    r"меж\w*приступ\w*|пост\w*приступ\w*|постиктал\w*|интериктал\w*|\bpo ?napadow\w+|\bmiedzynapad\w+",
    r"(发作|發作|発作)(间期|間期|間欠期|后|後|前)",
    # medicine, history, equipment
    r"\banti-? ?(seizure|epilep|convuls|konvuls)\w*",
    r"\b(seizure|sz)[\s-](history|hx|precautions?|pads?|protocol|plan|log|diary|dog|meds?|medications?|drugs?|threshold"
    r"|freedom|monitoring|risk|disorder|unit|clinic|nurse|button (test(ed)?|check(ed)?))\b",
    r"\b(test(ed|ing)?|check(ed|ing)?)( of)?( the)? seizure button\b",
    r"\b(history|hx|h/o|anamnese) (of |of the )?(seizures?|szs?)\b|\bkrampfneigung\w*|\banfalls?anamnese\w*",
    r"\babsence of (?!.*(seiz|sz))",
)
"""Phrases that hold such a word and tell of no seizure; they are cut out before a note is judged."""

FREE = r"\b(seizure|sz)[\s-]?free\b|\banfallsfrei\w*|\bfree of seizures?\b|\bkrampffrei\w*"
