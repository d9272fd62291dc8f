"""In which encoding a text is written that does not say it, by whether its words could be words.

Windows-1252, Mac Roman (Excel for Mac, "CSV") and code page 850 (DOS, old ERPs; its letters are those of 437)
give the same bytes to different letters. In the wrong one a capital stands inside of a word, or a sign.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hub import SourceDataError, storable, tr
from hub_tabular import books

WESTERN = ("cp1252", "mac_roman", "cp850")
BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK = 1 << 20
_LOOKED_AT = 16 * _BLOCK
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_LETTERS = frozenset("àâäáãåæçèéêëìíîïñòóôöõøœùúûüÿßÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØŒÙÚÛÜŸ")
_INSIDE = frozenset("’·\u00ad'")
"""Signs that stand between letters: an apostrophe, the point of « salarié·e »."""
_SIGNS = frozenset("‘’“”«»–—…€°ºª²³µ·•©®™½¼¾§×÷±\u00a0\u00ad")
_OPENING = frozenset("‘“«–—€§•©±×÷\u00a0")
"""Signs that a word may follow at once."""
_ALPHABETS = tuple(
    frozenset(letters + letters.upper())
    for letters in (
        "àâäéèêëîïôöùûüÿçœæ", "äöüßéèàê", "áéíóúñüçï", "àáâãçéêíóôõú", "àèéìíîòóùúç", "åäöæøéèàüóôê",
        "äëïéèöüóêç",
    )
)  # fmt: skip
"""The letters beyond ASCII of a text in French, German, Spanish, Portuguese, Italian, Nordic or Dutch."""
_USUAL = frozenset("éèàêçÉÀ")
_MOST_ODD = 0.2
FEW = 3


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """An *encoding*, and in words what a person should know of it; *is_mixed*: not all lines are in it."""

    encoding: str
    said: str = ""
    is_mixed: bool = False


def guess(path: Path) -> Guess:
    """Return in what *path* is written: UTF-8 where most of it is, else what makes words of its letters.

    Raises `SourceDataError` where it cannot be read, and where its words are none in any of `WESTERN`.
    """
    try:
        with books.opened(path) as file:
            head = file.read(4096)
            if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
                return Guess(encoding="utf-32")
            if head.startswith(BOMS):
                return Guess(encoding="utf-16")
            if name := wide(head):
                return Guess(encoding=name)
            file.seek(0)
            right, wrong, words = _looked_at(file)
    except OSError as exc:
        raise SourceDataError(
            tr("{file} cannot be opened ({reason}).", file=storable(path.name), reason=exc.strerror)
        ) from exc
    if not wrong:
        return Guess(encoding="utf-8-sig")
    if right > wrong:
        return Guess(encoding="utf-8-sig", is_mixed=True)
    return _western(storable(path.name), words)


def _looked_at(file: Iterable[bytes]) -> tuple[int, int, set[bytes]]:
    """Return how many lines that are not ASCII are UTF-8 and are not, and the words of the latter."""
    right = wrong = size = 0
    words: set[bytes] = set()
    for line in file:
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            wrong += 1
            if size < _LOOKED_AT:
                size += len(line)
                words.update(_WORD.findall(line))
        else:
            right += 1
    return right, wrong, words


def wide(sample: bytes) -> str | None:
    """Return UTF-16 without a mark at its start, which every other byte of a text in Latin letters shows."""
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 3 and sample[place::2].count(0) > 0.4 * len(sample[place::2]):
            return name
    return None


def _western(file: str, words: set[bytes]) -> Guess:
    odd = {name: [one for one in words if not _is_word(one, name)] for name in WESTERN}
    usual = {
        name: sum(letter in _USUAL for one in words for letter in _decoded(one, name)) for name in WESTERN
    }
    best, second = sorted(WESTERN, key=lambda name: (len(odd[name]), -usual[name]))[:2]
    shown = ", ".join(sorted(_decoded(one, best) for one in words)[:FEW])
    if len(odd[best]) > _MOST_ODD * len(words):
        raise SourceDataError(
            tr(
                "{file} is not UTF-8, and its words are none in the encodings of Windows, a Mac and DOS "
                '({shown} in {encoding}): say its encoding in the mapping, for example encoding = "cp1250".',
                file=file,
                shown=", ".join(sorted(_decoded(one, best) for one in odd[best])[:FEW]),
                encoding=best,
            )
        )
    # two that read every word alike differ in nothing
    doubtful = len(odd[second]) == len(odd[best]) and any(
        _decoded(one, best) != _decoded(one, second) for one in words
    )
    if odd[best]:
        shown = ", ".join(sorted(_decoded(one, best) for one in odd[best])[:FEW])
    elif best == "cp1252" and not doubtful:
        thin = _thin(words)
        if not thin:
            return Guess(encoding=best)
        shown = ", ".join(thin[:FEW])
    return Guess(
        encoding=best,
        said=tr(
            "read as {encoding}, a guess ({shown}): if these are not its words, say encoding in the mapping",
            encoding=best,
            shown=shown,
        ),
    )


def _thin(words: set[bytes]) -> list[str]:
    """Return the words that tell Western from Central European (code page 1250), where they say little.

    These are fewer than `FEW`, or too many of them do not go into the language of most.
    """
    deciding = [
        text
        for text, other in ((_decoded(one, "cp1252"), _decoded(one, "cp1250")) for one in words)
        if any(letter in _LETTERS and letter != twin for letter, twin in zip(text, other, strict=True))
    ]
    strange = min(
        (sorted(one for one in deciding if not _goes_into(one, letters)) for letters in _ALPHABETS), key=len
    )
    if len(strange) > _MOST_ODD * len(deciding):
        return strange
    return sorted(deciding) if len(deciding) < FEW else []


def _goes_into(word: str, letters: frozenset[str]) -> bool:
    return all(letter in letters for letter in word if letter in _LETTERS)


def _decoded(word: bytes, encoding: str) -> str:
    return word.decode(encoding, "replace")


def _is_word(word: bytes, encoding: str) -> bool:
    """Say whether what *word* is in an encoding may stand in a text of Western Europe."""
    text = f" {_decoded(word, encoding)} "
    runs = [len(run) for run in re.findall(r"[^\W\d_a-zA-Z]+", text)]
    if max(runs, default=0) > 2:  # Èâàí: another alphabet
        return False
    if encoding == "cp1252" and not any(_goes_into(text, letters) for letters in _ALPHABETS):
        return False  # Dvoøák: another code page
    return all(
        one.isascii() or _fits(before, one, after)
        for before, one, after in zip(text, text[1:], text[2:], strict=False)
    )


def _fits(before: str, one: str, after: str) -> bool:
    if one in _LETTERS:
        if one.isupper():
            return not before.islower()
        return not (before.isupper() and after.isupper())
    if one not in _SIGNS:
        return False
    if one in _INSIDE:
        return True
    return not after.isalpha() or (one in _OPENING and not before.isalpha())


def is_of_another(cell: str, encoding: str) -> bool:
    """Say whether a text that was read in *encoding* of one byte a letter is UTF-8."""
    try:
        cell.encode(encoding).decode("utf-8")
    except UnicodeError:
        return False
    return True
