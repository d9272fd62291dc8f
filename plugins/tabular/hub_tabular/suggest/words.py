"""What headers and values of common tables are called, in French and in English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal, get_type_hints

from hub import (
    BY_TABLE,
    caption_currency,
    choices_of,
    scale_of,
    unit_of,
)

_WEEK = r"semaine|\bsem\b|\bweek\b|\bkw\b|kalenderwoche|\bwoche|\bsemana|settimana|tydzien|tyden|weeknr"
_MONTH = r"\bmois\b|\bmonth\b|\bmonat\b|\bmes\b|\bmese\b|miesiac|\bmesic|\bmaand\b"
_QUARTER = r"trimestre|\btrim\b|\bquarter|\bquartal"
_HALF = r"semestre|\bhalf|halbjahr"
_YEAR_WORDS = r"\bannee|\byear\b|jahr\b|exercice|fiscal|\bfy\b|\bgj\b"
_PROJEKT = r"projekt(?!leit)|chantier|\bmission|kostenstelle|proyecto|progetto|projeto|\bpsp\b|\bwbs.?element"
_AUFWAND = r"(?<!rest)(?<!ist)(?<!ist-)aufwand"
# words of headers, French, English and German, without accents: the first field that fits and is free
# takes the column
WORDS: dict[str, dict[str, str]] = {
    "worklog": {
        "day": r"\bdate\b|datum|\bfecha\b|^data\b|^dzien\b|^den\b|\bjour\b|\bday\b|^tag$|^du$|^debut|^from$"
        rf"|^von$|^start|^beginn|{_WEEK}|{_MONTH}",
        "finish_on": r"^au$|^fin|^to$|^end|^bis$",
        "seconds": r"heures?|hours?|duree|duration|temps|time|jh|jours|days|charge|qte"
        r"|\bhoras\b|\bore\b|\buren\b|godzin|hodin|\bczas\b|\btiempo|\btempo\b|durata|duracion|duracao"
        r"|\bminut|istzeit|stunden|\bstd\b|aufwand|dauer|\bzeit\b|arbeitszeit|\btage\b|personentage",
        "account_id": r"matricule|personalnummer|mitarbeiter|empleado|dipendente|colaborador|medewerker"
        r"|pracownik|pracovnik|zamestnanec|risorsa|recurso|benutzer|bearbeiter"
        r"|login|employee|collab|salarie|employe|consultant|intervenant|\bagent"
        r"|personne|person|ressource|resource|\bmember|\bmembre|user|utilisateur|\bqui\b|\bwho\b|nom|name|naam"
        r"|imie|jmeno",
        "container_id": rf"projet|project|{_PROJEKT}|code|affaire|imputation",
        "task_id": r"ticket|issue|demande|tache|task|aufgabe|vorgang",
        "category": r"nature|categorie|category|type|kategorie|^art$",
        "billable": r"facturable|billable|abrechenbar|fakturierbar",
        "approval": r"statut|status|valid|approv|genehmig|freigabe",
    },
    "budget_line": {
        "amount_minor": r"montant|amount|budget|cout|cost|betrag|\bkosten\b|importe|importo|\bvalor\b|kwota"
        r"|castka|bedrag|presupuesto|orcamento|budzet|rozpocet|begroting",
        "month": rf"mois|month|{_MONTH}|{_QUARTER}|{_HALF}|{_YEAR_WORDS}|periode|period"
        r"|\bdate\b|datum",
        "project_code": rf"projet|project|{_PROJEKT}|code|affaire",
        "kind": r"type|nature|kind|^art$|wertart|werttyp|\btyp$",
        "category": r"categorie|category|poste|nature|rubrique|kategorie|kostenart",
        "currency": r"devise|currency|wahrung", "is_capex": r"capex|investissement",
    },
    "register_item": {
        "title": r"libelle|titre|title|description|intitule|risque|risk|^actions?$|^decisions?$|probleme"
        r"|sujet|subject|risiko|massnahme|bezeichnung|beschreibung|titel|thema",
        "project_code": rf"projet|project|{_PROJEKT}|code", "kind": r"type|kind",
        "state": r"statut|etat|status|state", "probability": r"proba|wahrscheinlich",
        "impact": r"impact|gravite|severity|auswirkung|schwere",
        "exposure_minor": r"exposition|exposure|montant",
        "owner_id": r"responsable|porteur|pilote|propriet|owner|verantwortlich|zustandig",
        "due_on": r"echeance|due|fallig|frist|\btermin\b",
        "asked_of": r"demande a|asked of|decideur|instance",
        "opened_on": r"ouvert|creat|opened|date|erfasst|erstellt|eroffnet|datum",
    },
    "task": {
        "title": r"^sujet|^subject|titre|title|^resume$|^summary|libelle|intitule|tache|task|aufgabe"
        r"|vorgang|arbeitspaket|^jalon|milestone|meilenstein|livrable"
        r"|nom|name|\blots?\b|activite|phase|bezeichnung|titel",
        "is_milestone": r"^jalon|milestone|meilenstein",
        "container_id": rf"projet|project|{_PROJEKT}|code",
        "status_raw": r"statut|etat|status|state", "planned_start_on": r"debut|start|beginn|anfang",
        "actual_finish_on": r"date reelle|date effective|fin reelle|actual finish|actual end|realise le",
        "planned_finish_on": r"date revise|date prev|date planif|date actualis|\bfin|finish|\bend",
        "due_on": r"echeance|due|date cible|date contract|^date$|fallig|frist|\btermin\b",
        "percent": r"avancement|%|progress|percent|fortschritt",
        "estimate_s": rf"charge|estim|effort|budget|{_AUFWAND}",
        "remaining_s": r"reste|raf|remaining|restaufwand", "spent_s": r"consomme|spent|realise|ist-?aufwand",
        "assignee_id": r"responsable|assign|owner|ressource|verantwortlich|zustandig|bearbeiter|zugewiesen",
    },
    "allocation": {
        "account_id": r"mitarbeiter|matricule|empleado|dipendente|colaborador|medewerker|pracownik|pracovnik"
        r"|ressource|resource|personne|person|collab|salarie|employe"
        r"|consultant|intervenant|\bqui\b|\bwho\b|\bnom\b|\bname\b",
        "container_id": rf"projet|project|{_PROJEKT}|code",
        "start_on": rf"debut|start|date|beginn|datum|^von$|{_WEEK}|{_MONTH}",
        "finish_on": r"\bfin|finish|\bend",
        "seconds": r"charge|jours|days|heures|hours|jh|\btage\b|stunden|aufwand"
        r"|\bhoras\b|\bore\b|\buren\b|godzin|hodin",
    },
    "checklist_item": {
        "label": r"libelle|label|critere|point|item|controle", "list": r"liste|list|matrice|lot",
        "ref": r"ref|num|id",
        "state": r"statut|etat|status|state|resultat", "project_code": r"projet|project|code",
        "mandatory": r"obligatoire|mandatory",
    },
    "account": {
        "display_name": r"nom|name|personne|collaborateur", "email": r"mail",
        "login": r"login|identifiant|user",
        "employee_no": r"matricule|employee", "active": r"actif|active",
    },
}  # fmt: skip
MUST = {
    "worklog": ("day", "seconds"),
    "budget_line": ("amount_minor", "month"),
    "register_item": ("title", "state"),
    "task": ("title",),
    "allocation": ("account_id", "start_on", "seconds"),
    "checklist_item": ("label", "state"),
    "account": ("display_name",),
}
AMOUNTS = (
    r"montant|amount|budget|cout|cost|engage|commit|consomme|consumed|actual|reel|facture|prev(u|is)|forecast"
    r"|atterrissage|landing|estimate|revise|depense|spent|\braf\b|reste|remaining|\betc\b|\beac\b|completion"
    r"|\bplan\b|\bist\b|\bsoll\b|obligo|prognose|kosten\b"
)
BARE_AMOUNTS = r"^(plan|ist|soll|prognose)\W*$"
"""Captions of amounts that may be anything else: hours, days."""
OPEN_FORECAST = r"forecast|prognose|previ"
"""Captions of what is still to come, or of what it costs in the end."""
_EFFORT = r"stunden|aufwand|dauer|\btime\b|temps|duree|duration|effort|charge|workload|estimate\b|estimation"
_BUDGET = r"presupuesto|orcamento|budzet|rozpocet|begroting"
"""What a budget is called in Spanish, Portuguese, Polish, Czech and Dutch."""
MONEY = (
    rf"budget|montant|amount|cout|cost|€|depense|betrag|kosten|obligo|{_BUDGET}"
    r"|importe|importo|kwota|castka|bedrag"
)
AT_END = r"atterr|landing|\beac\b|at completion"
"""Captions of what something costs in the end: not what is still to come, which is the hub's forecast."""
LEAVE = r"urlaub|abwesen|cong[eé]|\babs|\brtt|leave|vacation|holiday"
RATE = (
    r"(?:\b(?:par|per|pro|a|por|na)\b|/)\s*(?:jour|day|tag|semaine|week|woche|mois|month|monat|dia|giorno|dag"
    r"|dzien|den|j\b|d\b)|\bdaily\b|\bweekly\b"
)
"""How a caption says that it counts by the day or the week: Hours per day."""
FTE = r"\bfte\b|\betp\b|\bvze\b|\bpte\b|\betc\b complet|vollzeit|equivalent temps plein|full.time equivalent"
"""Captions of parts of a person: 0.5 FTE."""
PLANS = r"einsatzplan|ressourcenplan|kapazit|plan de charge|capacit|staffing|allocation|prevision|affectation"


def plain(text: str) -> str:
    """Return a text without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


Period = Literal["week", "month", "quarter", "half", "year"]
PERIODS: dict[Period, str] = {
    "week": _WEEK, "month": _MONTH, "quarter": _QUARTER, "half": _HALF, "year": _YEAR_WORDS,
}  # fmt: skip
"""Captions of columns that name a period for each row."""
BARE_PERIOD = (
    rf"^(?:n[o°]?\.? ?)?(?:de )?(?:{_WEEK}|{_MONTH}|{_QUARTER}|{_HALF})\W*(?:no|n°|nr|num|number|iso)?\W*$"
)
"""Captions over mere numbers of weeks or months: Semaine, N° semaine, KW. Jours par mois is none."""
YEAR = r"^annee$|^year$|^jahr$|^exercice$|^fiscal year$|^geschaftsjahr$|^gj$|^fy$"


def is_effort(name: str) -> bool:
    """Say whether a caption speaks of work and not of money: Time Spent, RAF (j), Charge consommée."""
    return unit_of(name) is not None or re.search(_EFFORT, plain(name)) is not None


_EFFORTS = frozenset({"seconds", "estimate_s", "remaining_s", "spent_s"})
_NO_PERSON = (
    r"\?$|type|role|activite|\blots?\b|phase|tache|client|comment|^key$|^cle$|ticket|statut|nature"
    r"|aufgabe|tatigkeit|kunde"
)
"""Captions of columns that name nobody, whatever else stands in them."""
_NUMBERS = r"\b(id|ids|key|cle|no|n°|num|numero|number|nr|ref|reference|url|link|lien)$"
"""Captions of what numbers a thing: Task ID, Clé, Card URL. None is what it is called."""


def is_money(name: str) -> bool:
    """Say whether a caption speaks of money: Budget (k€), Montant HT, Coût."""
    return bool(
        scale_of(name)
        or caption_currency(name)
        or re.search(
            r"[€$£]|\bk?eur\b|montant|\bcout|betrag|\bkosten|\bdebit|\bcredit|\bht\b|\bttc\b", plain(name)
        )
    )


def names_a_thing(name: str) -> bool:
    """Say whether a caption is of what numbers or names a thing: N°, Task ID."""
    return re.search(_NUMBERS, plain(name)) is not None


def names_nobody(name: str) -> bool:
    """Say whether a caption is of something else than a person."""
    return re.search(_NO_PERSON, plain(name)) is not None


def assign(
    kind: str,
    names: list[str],
    *,
    without: Sequence[str] = (),
    fits: Callable[[str, str], bool] = lambda field, name: True,
) -> dict[str, str]:
    """Return the column of each field of a record by what the headers are called.

    *fits* says whether what stands in a column may be of a field.
    """
    taken: dict[str, str] = {}
    for field, words in WORDS[kind].items():
        if field in without:
            continue
        # the words are in order of preference: `matricule` names a person better than `nom`
        hits = (
            name
            for word in words.split("|")
            for name in names
            if name not in taken.values()
            and re.search(word, plain(name))
            and not (field in _EFFORTS and is_money(name))
            and not (field in _EFFORTS and "budget" in plain(name) and unit_of(name) is None)
            and not (field == "account_id" and plain(name).endswith("?"))
            and not (field == "title" and re.search(_NUMBERS, plain(name)))
            and fits(field, name)
        )
        if name := next(hits, None):
            taken[field] = name
    return taken


def fitness(kind: str, names: list[str]) -> float:
    """Return how well the headers fit a record."""
    found = assign(kind, names)
    return len(found) - 3 * sum(field not in found for field in MUST[kind])


def choices_of_field(kind: str, field: str) -> tuple[str, ...]:
    """Return the words that a field may hold."""
    return choices_of(get_type_hints(BY_TABLE[kind])[field])


_GUESSES = {
    "absence": rf"{LEAVE}|malad|krank|sick|ferie|feiertag|\bcp\b|parental|matern|patern",
    "internal": r"intern|structure|formation|run",
    "approved": r"valid|appro",
    "rejected": r"rej|refus", "submitted": r"soumis|submit|attente", "draft": r"brouillon|draft|saisi",
    "closed": r"clos|ferm|termin|done|^fait|realise|acheve|resol|leve|solde|complete"
    r"|erledigt|geschlossen|fertig",
    "open": r"ouvert|cours|open|a faire|a venir|todo|to do|nouve|new|plani|attente"
    r"|offen|in arbeit|bearbeitung|geplant|\bneu\b",
    "cancelled": r"annul|aband|cancel|abgebrochen|verworfen|storniert",
    "risk": r"risq|risk|risiko", "action": r"action|massnahme", "decision": r"decis|entscheid|beschluss",
    "issue": r"probl|issue|incident",
    "revised": r"revis", "committed": r"engag|commit|obligo|bestell",
    "consumed": r"consom|consum|reel|actual|spent|factur|\bist\b|istkosten|angefallen|depens|ausgabe|expens",
    "forecast": r"\braf\b|reste|\brest|remain|\betc\b|to complete|prev|forecast|prognose",
    "baseline": rf"initial|budget|baseline|vote|\bplan\b|plankosten|\bsoll\b|planned|{_BUDGET}",
    "ok": r"^(ok|oui|ja|yes|conforme|erfullt)|[\u2611\u2713\u2714\u2705]",
    "nok": r"^(nok|ko|non?|nein)\b|[\u2717\u2718\u274c]",
    "na": r"n/?a|sans objet|entfallt", "todo": r"faire|todo|offen|\u2610", "project": r"proj",
}  # fmt: skip


def guessed(text: str, known: tuple[str, ...], *, default: str | None = None) -> str:
    """Return which of the known words a text means."""
    for value, words in _GUESSES.items():
        if value in known and re.search(words, plain(text)):
            return value
    return known[0] if default is None else default
