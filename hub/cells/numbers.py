"""Numbers as people write them: a sign, groups of thousands, a decimal sign, a percent sign, a currency."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import Literal

import msgspec

DecimalSign = Literal[".", ","]

_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN
    BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF
    KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
    MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
    SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU
    UYW UZS VED VES VND VUV WST XAF XCD XCG XDR XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
"""The codes of ISO 4217 that are money today, the old ones of the euro left out."""
_DOLLARS = frozenset(
    {
        "AUD",
        "BBD",
        "BMD",
        "BND",
        "BSD",
        "BZD",
        "CAD",
        "FJD",
        "HKD",
        "JMD",
        "KYD",
        "LRD",
        "MXN",
        "NAD",
        "NZD",
        "SBD",
        "SGD",
        "SRD",
        "TTD",
        "TWD",
        "USD",
        "XCD",
    }
)
SIGNS: dict[str, frozenset[str]] = {
    "€": frozenset({"EUR"}), "euro": frozenset({"EUR"}), "euros": frozenset({"EUR"}), "£": frozenset({"GBP"}),
    "$": _DOLLARS, "us$": frozenset({"USD"}), "$us": frozenset({"USD"}), "ca$": frozenset({"CAD"}),
    "c$": frozenset({"CAD"}), "$ca": frozenset({"CAD"}), "a$": frozenset({"AUD"}), "au$": frozenset({"AUD"}),
    "nz$": frozenset({"NZD"}), "hk$": frozenset({"HKD"}), "s$": frozenset({"SGD"}), "r$": frozenset({"BRL"}),
    "¥": frozenset({"JPY", "CNY"}),
    "fr": frozenset({"CHF"}), "fr.": frozenset({"CHF"}), "sfr": frozenset({"CHF"}),
    "sfr.": frozenset({"CHF"}), "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}), "zł": frozenset({"PLN"}),
    "kč": frozenset({"CZK"}), "ft": frozenset({"HUF"}), "lei": frozenset({"RON"}), "₽": frozenset({"RUB"}),
    "₺": frozenset({"TRY"}), "₪": frozenset({"ILS"}), "₹": frozenset({"INR"}), "₩": frozenset({"KRW"}),
    "₫": frozenset({"VND"}), "₴": frozenset({"UAH"}), "฿": frozenset({"THB"}), "₦": frozenset({"NGN"}),
    "dh": frozenset({"MAD"}),
}  # fmt: skip
"""The currencies that a sign may stand for."""

BLANKS = " \u00a0\u202f\u2009\u2007\t"
_MINUS = "-\u2212\u2011\u2013"
_ANY_MINUS = re.escape(_MINUS)
# a group has three digits, the first one to three that begin with no 0; one kind of separator parts them all
_GROUPED = (
    r"[1-9][0-9]{0,2}(?:(?:[ \u00a0\u202f\u2009\u2007][0-9]{3})+|(?:['\u2019][0-9]{3})+|(?:%s[0-9]{3})+)"
)
_FORMS: dict[DecimalSign, re.Pattern[str]] = {
    ".": re.compile(rf"(?P<whole>{_GROUPED % ','}|[0-9]+)?(?:[.](?P<rest>[0-9]+))?"),
    ",": re.compile(rf"(?P<whole>{_GROUPED % '[.]'}|[0-9]+)?(?:,(?P<rest>[0-9]+))?"),
}
_WORD = r"[^\W\d_]{2,5}\.?|[^\W\d_]{0,2}[$€£¥₽₺₪₹₩₫₴฿₦](?:US|us|CA|ca)?"
_BEFORE = re.compile(rf"({_WORD})(?=[\s0-9({_ANY_MINUS}+.,'\u2019])")
_AFTER = re.compile(rf"(?<=[\s0-9){_ANY_MINUS}.,])({_WORD})$")
SCALES = {"k": 1_000, "K": 1_000, "M": 1_000_000, "Md": 1_000_000_000, "Mds": 1_000_000_000}
"""What stands before a currency for thousands, millions and milliards of it: 40 k€, 1,2 M€."""
_SCALE_AFTER = re.compile(
    rf"(?<=[\s0-9){_ANY_MINUS}.,])(Mds?|[kKM])[{BLANKS}]?((?:{_WORD})?)(?=[){_ANY_MINUS}]*$)"
)
_CAPTION_SIGN = re.compile(r"(?:US|CA|AU|NZ|HK)?[$€£¥₽₺₪₹₩₫₴฿₦]")
_CAPTION_BARE = re.compile(
    r"(?<![^\W\d_])(EUR|USD|GBP|CHF|JPY|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|CNY|INR|BRL|MXN|ZAR|SGD|HKD)$"
)
"""Codes that are no words: at the end of a caption they name its currency (Budget USD)."""
_CAPTION_CODE = re.compile(
    r"[(\[]\s*((?:[kKM] ?)?[A-Z]{3}|euros?)\s*[)\]]|\b(?:en|in)\s+((?:[kKM] ?)?[A-Z]{3})\b"
)
_LETTER = re.compile(r"[^\W\d_]")
_SCALE_BEFORE = re.compile(rf"(Mds?|[kKM])({_WORD})(?=[\s0-9({_ANY_MINUS}+.,'\u2019])")
_SCALE_WORDS = re.compile(
    r"(?P<thousand>\bmilliers?\b|\bthousands?\b|[(\[]\s*[kK]\s*[)\]])|(?P<million>\bmillions?\b|\bmio\b)"
    r"|(?P<milliard>\bmilliards?\b|\bbillions?\b)",
    re.IGNORECASE,
)
_SCALE_SIGNS = re.compile(
    rf"(?<![^\W_])(Mds?|[kKM])[{BLANKS}]?((?:[^\W\d_]{{0,2}}[$€£¥₽₺₪₹₩₫₴฿₦])|[^\W\d_]+)"
)


class Written(msgspec.Struct, frozen=True):
    """A text taken apart: *body* is what is left without its signs.

    *currency* the sign or code that stood there, *scale* how many of it one is (k€: 1000), None where
    nothing says so.
    """

    body: str
    negative: bool = False
    percent: bool = False
    currency: str | None = None
    scale: int | None = None


@functools.lru_cache(maxsize=20_000)
def take_apart(text: str) -> Written | None:
    """Take sign, percent and currency off *text*; None where one of them stands twice or nothing is left."""
    rest, found = text.strip(BLANKS), {"sign": "", "percent": "", "currency": "", "scale": ""}
    while rest:
        took = _one_off(rest)
        if took is None:
            break
        kind, mark, rest = took
        if found[kind]:
            return None
        found[kind], rest = mark, rest.strip(BLANKS)
    if not rest:
        return None
    return Written(
        rest,
        found["sign"] not in {"", "+"},
        bool(found["percent"]),
        found["currency"] or None,
        SCALES.get(found["scale"]),
    )


def _one_off(text: str) -> tuple[str, str, str] | None:
    """Return what stands at an end of *text*, its kind, and the text without it."""
    if text[0] in _MINUS or text[0] == "+":
        return "sign", "+" if text[0] == "+" else "-", text[1:]
    if text[-1] in _MINUS and len(text) > 1:
        return "sign", "-", text[:-1]
    if text[0] == "(" and text[-1] == ")":
        return "sign", "()", text[1:-1]
    if text[-1] in "%٪％":
        return "percent", "%", text[:-1]
    if text[0] == "%":
        return "percent", "%", text[1:]
    if (match := _BEFORE.match(text)) and currencies_of(match[1]):
        return "currency", match[1], text[match.end() :]
    if (match := _AFTER.search(text)) and currencies_of(match[1]):
        return "currency", match[1], text[: match.start()]
    # the scale alone is taken off: the currency behind it is the next one's
    match = _SCALE_AFTER.search(text)
    if match and not _LETTER.search(text[: match.start()]) and (not match[2] or currencies_of(match[2])):
        return "scale", match[1], f"{text[: match.start()]} {match[2]}{text[match.end() :]}"
    if (match := _SCALE_BEFORE.match(text)) and currencies_of(match[2]):
        return "scale", match[1], f"{match[2]} {text[match.end() :]}"
    return None


def caption_currency(caption: str) -> frozenset[str]:
    """Return the currencies that a column's caption may name: USD for "Amount (USD)" and "Montant en k$".

    None where it names none: a code counts in brackets or behind "en" or "in" only, ALL and TOP are words,
    but for some that are none, at the end (Budget USD).
    """
    found = [currencies_of(one) for one in _CAPTION_SIGN.findall(caption)]
    codes = [part for match in _CAPTION_CODE.findall(caption) for part in match if part]
    codes += _CAPTION_BARE.findall(caption.rstrip())
    found += [
        known for one in codes for known in (currencies_of(one), currencies_of(one.lstrip("kKM "))) if known
    ]
    return frozenset.intersection(*found) if (found := [one for one in found if one]) else frozenset()


def scale_of(caption: str) -> int | None:
    """Return how many units of a currency one is by a column's caption: 1000 for "Budget (k€)".

    None where the caption says nothing of it. Signs are those of a currency (k€, KEUR, M$), words are French
    and English (en milliers d'euros, in thousands).
    """
    for match in _SCALE_SIGNS.finditer(caption):
        if currencies_of(match[2]):
            return SCALES[match[1]]
    word = _SCALE_WORDS.search(caption)
    sizes = {"thousand": 1_000, "million": 1_000_000, "milliard": 1_000_000_000}
    return sizes[word.lastgroup or ""] if word else None


def currencies_of(mark: str) -> frozenset[str]:
    """Return the currencies that a sign, a word or a code may be; none where it is no currency."""
    if mark.upper() in CURRENCIES and (mark.isupper() or mark.islower() or mark.istitle()):
        return frozenset({mark.upper()})
    return SIGNS.get(mark.casefold(), frozenset())


@functools.lru_cache(maxsize=20_000)
def readings(body: str) -> tuple[Decimal | None, Decimal | None]:
    """Return what *body* is where the decimal sign is a dot, and where it is a comma.

    None where it cannot be a number.
    """
    return _reading(body, "."), _reading(body, ",")


def _reading(body: str, sign: DecimalSign) -> Decimal | None:
    match = _FORMS[sign].fullmatch(body)
    if match is None or (match["whole"] is None and match["rest"] is None):
        return None
    whole = re.sub("[^0-9]", "", match["whole"] or "0")
    return Decimal(f"{whole}.{match['rest']}") if match["rest"] else Decimal(whole)


def settles(body: str) -> DecimalSign | None:
    """Return the decimal sign that *body* shows by itself: only with it, it is a number."""
    dot, comma = readings(body)
    if (dot is None) == (comma is None):
        return None
    return "." if comma is None else ","
