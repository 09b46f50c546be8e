"""Class names that mean "nothing was found", to recognise the negative one of two."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["as_number", "is_negative_word", "negative_of"]


def _fold(text: str) -> str:
    """Return the text in lower case without accents."""
    # these letters have no parts that NFKD could take apart
    bare = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "l").replace("ı", "i"))
    return "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold()


# Words for "no" and "without", for absence and for health, in the large European languages.
NEGATIVE_WORDS = frozenset(
    _fold(
        """
        no non not none nil nothing never free 0 false negative neg normal healthy health benign control controls
        absent absence without unaffected uninfected noninfected unremarkable cn hc nc
        kein keine keinen ohne nein negativ gesund gesunde gesunder gesundes unauffällig gutartig gutartige kontrolle
        sans aucun aucune négatif sain saine sains saines santé normale normaux bénin bénigne témoin témoins absente
        sin ninguno ninguna negativo negativa sano sana sanos sanas benigno benigna ausente ausencia controles
        senza nessuno nessuna sani sane normali benigni assente assenza controllo controlli
        sem não nenhum nenhuma saudável saudáveis normais controle
        geen zonder gezond gezonde negatief normaal goedaardig
        brak bez zdrowy zdrowa zdrowe ujemny ujemna prawidłowy prawidłowa łagodny łagodna
        zdravý zdravá frisk friska ingen utan uten uden rask terve egészséges sănătos sănătoasă fără sağlıklı yok
        нет без здоров здоровый здоровая здоровые норма отрицательный доброкачественный здоровий здорова немає υγιής
        """
    ).split()
)
_DENIALS = (
    "no",
    "non",
    "not",
    "un",
    "without",
    "kein",
    "keine",
    "ohne",
    "sans",
    "sin",
    "senza",
    "sem",
    "geen",
    "bez",
)
_NEGATIVE_ENDINGS = ("free", "frei", "negative", "neg", "negativ")
_POSITIVE_ENDINGS = ("", "positive", "pos", "positiv")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")  # NoTumor is two words


def as_number(name: str) -> float | None:
    """Return the number that a name is, or None where it is more than a number.

    >>> as_number("-1"), as_number("0,5"), as_number("grade 2")
    (-1.0, 0.5, None)
    """
    text = name.strip().replace("\N{MINUS SIGN}", "-")
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def is_negative_word(label: str, other: str = "") -> bool:
    """Tell whether a label says that nothing was found, by itself or as the denial of `other`.

    >>> is_negative_word("No_Tumor"), is_negative_word("notumor", "tumor"), is_negative_word("abnormal")
    (True, True, False)
    """
    return any(word in NEGATIVE_WORDS for word in _words(label)) or _denies(label, other)


def negative_of(first: str, second: str) -> tuple[str | None, str]:
    """Return which of two class names is the negative one, None if the names do not show it, and why.

    Numbers are negative at 0 and below. A denial ("unhealthy") of a name that is negative itself ("healthy") is the
    positive one.

    >>> negative_of("tumor-free", "tumor"), negative_of("healthy", "unhealthy")[0], negative_of("AD", "MCI")
    (('tumor-free', "'tumor-free' reads as the negative class"), 'healthy', (None, 'neither name reads as negative'))
    """
    numbers = as_number(first), as_number(second)
    if numbers[0] is not None and numbers[1] is not None:
        low = [name for name, number in zip((first, second), numbers, strict=True) if number <= 0]  # type: ignore[operator]
        if len(low) == 1:
            return low[0], f"of the numbers {first} and {second} the larger one, by convention"
        return None, "two numbers on one side of 0 do not say which one is negative"
    plain = [name for name in (first, second) if is_negative_word(name)]
    denials = [name for name, other in ((first, second), (second, first)) if _denies(name, other)]
    if len(denials) == 1:
        other = second if denials == [first] else first
        negative = other if other in plain else denials[0]
        return negative, f"{negative!r} reads as the negative class"
    if len(plain) == 1:
        return plain[0], f"{plain[0]!r} reads as the negative class"
    return None, "both names read as negative" if plain else "neither name reads as negative"


def _denies(label: str, other: str) -> bool:
    """Tell whether a label is the denial of another: "nontumor", "tumor-free", "HER2-neg", "ER-" of "ER+"."""
    mine, theirs = label.strip().replace("\N{MINUS SIGN}", "-"), other.strip()
    if mine.endswith("-") and theirs.endswith("+"):
        return mine[:-1].casefold() == theirs[:-1].casefold()
    squeezed, rest = "".join(_words(label)), "".join(_words(other))
    if not squeezed or not rest:
        return False
    if squeezed in {denial + rest for denial in _DENIALS}:
        return True
    stems = [squeezed.removesuffix(ending) for ending in _NEGATIVE_ENDINGS if squeezed.endswith(ending)]
    return any(stem and rest == stem + ending for stem in stems for ending in _POSITIVE_ENDINGS)


def _words(label: str) -> list[str]:
    return re.findall(r"[^\W_]+", _fold(_CAMEL.sub(" ", label)))
