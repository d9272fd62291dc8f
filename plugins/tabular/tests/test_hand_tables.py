"""Tables as people of many countries have them, with the figures that a person adds up by hand.

Each is read right by what is suggested for it, or refused, in whole or in part, by a sentence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub import SourceDataError
from hub.store import Store
from hub.testing import store
from plugins.tabular.tests.test_odd_tables import text
from plugins.tabular.tests.test_suggest import suggest_mapping, synced

__all__ = ["store"]
Wanted = float | dict[str, float] | str
"""Hours, amounts by kind, or what is said of a table that is not read in whole."""


def outcome(path: Path, store: Store, **more: Any) -> tuple[str, dict[str, float], list[str]]:
    """Return the verdict, the hours and amounts in the store, and all that was said."""
    try:
        said = suggest_mapping(path)
    except SourceDataError as exc:
        return "refused", {}, [str(exc)]
    report = synced(path, store, said, **more)
    found = {
        "worklog": store.rows("SELECT sum(seconds) / 3600.0 AS n FROM worklog"),
        "allocation": store.rows("SELECT sum(seconds) / 3600.0 AS n FROM allocation"),
        "task": store.rows("SELECT count(*) AS n FROM task"),
    }
    figures = {name: round(rows[0]["n"], 4) for name, rows in found.items() if rows[0]["n"]}
    for row in store.rows("SELECT kind, sum(amount_minor) / 100.0 AS n FROM budget_line GROUP BY kind"):
        figures[row["kind"]] = row["n"]
    told = [line for line in said.splitlines() if "#" in line]
    return report.verdict, figures, [*report.rejections, *report.missing, *report.notes, *told]


TEXTS: dict[str, tuple[str, str, Wanted]] = {
    # German Excel
    "german": (
        "Stunden.csv",
        "Mitarbeiter;Projekt;Datum;Stunden\nZoé;WEB;05.10.2026;7,50\nJo;ERP;16.10.2026;1.250,00\n",
        "is more than 24 hours",
    ),
    "german two digits": (
        "Stunden.csv",
        "Name;Projekt;Tag;Std.\nZoé;WEB;05.10.26;7,5\nJo;ERP;16.10.26;8\n",
        15.5,
    ),
    "german monday": (
        "Stunden.csv",
        "Name;Projekt;Datum;Std\nZoé;WEB;Mo, 05.10.2026;7,5\nJo;ERP;Fr, 16.10.2026;8\n",
        15.5,
    ),
    "german repeated pages": (
        "Stunden.csv",
        "Name;Projekt;Datum;Stunden\nZoé;WEB;05.10.2026;7,5\nSeite 1\n\nName;Projekt;Datum;Stunden\nJo;ERP;16.10.2026;8\nSeite 2\n",
        15.5,
    ),
    "german negative": (
        "Stunden.csv",
        "Name;Projekt;Datum;Stunden\nZ;W;05.10.2026;8\nZ;W;16.10.2026;8\nZ;W;16.10.2026;-2\n",
        14,
    ),
    "german twice the same": (
        "Stunden.csv",
        "Name;Projekt;Datum;Stunden\nZ;W;15.10.2026;2\nZ;W;15.10.2026;2\n",
        4,
    ),
    # SAP
    "alv minus": (
        "SAP.csv",
        "PSP-Element;Kostenart;Periode;Betrag\nP-1;Extern;01.2026;1.234,50\nP-1;Extern;02.2026;234,50-\n",
        {"consumed": 1000},
    ),
    "alv list": (
        "CATS.txt",
        "|Personalnummer|Name    |PSP-Element|Datum     |Stunden|\n|00012|Zoe|P-1|05.10.2026|  7,50 |\n|00013|Jo|P-2|16.10.2026|  8,00 |\n",
        15.5,
    ),
    "alv dashes": (
        "CATS.txt",
        "-----------------------------------------\n|Personalnr|PSP-Element|Datum|Stunden|\n-----------------------------------------\n"
        "|00012|P-1|05.10.2026|7,50|\n|00013|P-2|16.10.2026|8,00|\n-----------------------------------------\n|*||| 15,50|\n",
        15.5,
    ),
    "alv totals in the middle": (
        "CATS.csv",
        "Personalnummer;PSP-Element;Datum;Stunden\n12;P-1;05.10.2026;7\n12;P-1;16.10.2026;8\n* 12;;;15\n13;P-2;16.10.2026;4\n* 13;;;4\n**;;;19\n",
        19,
    ),
    # numbers
    "swiss": (
        "Budget 2026.csv",
        "Projekt;Budget CHF\nWEB;12'500.50\nERP;1'000'000.00\n",
        {"baseline": 1012500.5},
    ),
    "narrow blanks": (
        "Budget 2026.csv",
        "Projet;Budget\nWEB;12\u202f500,50 €\nERP;1\u202f000\u202f000 €\n",
        {"baseline": 1012500.5},
    ),
    "no-break blanks": (
        "Budget 2026.csv",
        "Projet;Montant HT\nWEB;12\u00a0500,50\nERP;1\u00a0000\n",
        {"baseline": 13500.5},
    ),
    "polish": (
        "Budżet 2026.csv",
        "Projekt;Budżet (PLN)\nWEB;12 500,50 zł\nERP;1 000,00 zł\n",
        {"baseline": 13500.5},
    ),
    "units in header": (
        "Budget 2026.csv",
        "Projet;Budget (k€);Consommé (k€)\nWEB;12,5;1,25\nERP;1;0\n",
        {"baseline": 13500, "consumed": 1250},
    ),
    "percent column": (
        "Budget 2026.csv",
        "Projet;Budget;Consommé;% consommé\nWEB;1000;250;25%\nERP;2000;500;25%\n",
        {"baseline": 3000, "consumed": 750},
    ),
    "accounting": (
        "Budget 2026.csv",
        'Project;Budget;Actual\nWEB;"1,000.00";(250.00)\nERP;"2,000.00";1000.00\n',
        {"baseline": 3000, "consumed": 750},
    ),
    # days
    "french days in words": (
        "Temps.csv",
        "Nom;Projet;Date;Heures\nZoé;WEB;lundi 5 octobre 2026;7\nJo;ERP;1er octobre 2026;8\n",
        15,
    ),
    "mixed forms": (
        "Temps.csv",
        "Nom;Projet;Date;Heures\nZoé;WEB;15/10/2026;7\nJo;ERP;2026-10-16;8\nJo;ERP;17 oct. 2026;1\n",
        16,
    ),
    "american": ("Time.csv", "Name,Project,Date,Hours\nZ,W,10/05/2026,7\nJ,E,10/16/2026,8\n", 15),
    "dutch": ("Uren.csv", "Medewerker;Project;Datum;Uren\nZ;W;5-10-2026;7,5\nJ;E;16-10-2026;8\n", 15.5),
    "dutch days": (
        "Uren.csv",
        "Naam;Project;Datum;Aantal uren\nZ;W;ma 5 oktober 2026;7,5\nJ;E;vr 16 oktober 2026;8\n",
        15.5,
    ),
    "polish hours": (
        "Godziny.csv",
        "Pracownik;Projekt;Data;Godziny\nZ;W;05.10.2026;7,5\nJ;E;16.10.2026;8\n",
        15.5,
    ),
    "polish months": (
        "Godziny 2026.csv",
        "Pracownik;Projekt;styczeń;luty;marzec\nZ;W;150;140;7,5\nJ;E;10;;8\n",
        315.5,
    ),
    "czech": ("Výkaz.csv", "Pracovník;Projekt;Datum;Hodiny\nZ;W;5. 10. 2026;7,5\nJ;E;16. 10. 2026;8\n", 15.5),
    "czech months": (
        "Výkaz 2026.csv",
        "Pracovník;Projekt;leden;únor;březen\nZ;W;150;140;7,5\nJ;E;10;;8\n",
        315.5,
    ),
    "spanish": ("Horas.csv", "Empleado;Proyecto;Fecha;Horas\nZ;W;05/10/2026;7,5\nJ;E;16/10/2026;8\n", 15.5),
    "spanish months": (
        "Horas 2026.csv",
        "Empleado;Proyecto;enero;febrero;marzo\nZ;W;150;140;7,5\nJ;E;10;;8\n",
        315.5,
    ),
    "italian": ("Ore.csv", "Dipendente;Progetto;Data;Ore\nZ;W;05/10/2026;7,5\nJ;E;16/10/2026;8\n", 15.5),
    "italian months": (
        "Ore 2026.csv",
        "Dipendente;Progetto;gennaio;febbraio;marzo\nZ;W;150;140;7,5\nJ;E;10;;8\n",
        315.5,
    ),
    "portuguese": (
        "Horas.csv",
        "Colaborador;Projeto;Data;Horas\nZ;W;05/10/2026;7,5\nJ;E;16/10/2026;8\n",
        15.5,
    ),
    "portuguese months": (
        "Horas 2026.csv",
        "Colaborador;Projeto;janeiro;fevereiro;março\nZ;W;150;140;7,5\nJ;E;10;;8\n",
        315.5,
    ),
    "dutch months": (
        "Uren 2026.csv",
        "Medewerker;Project;januari;februari;maart\nZ;W;150;140;7,5\nJ;E;10;;8\n",
        315.5,
    ),
    "german months": (
        "Stunden 2026.csv",
        "Mitarbeiter;Projekt;Jänner;Februar;März\nZ;W;150;140;7,5\nJ;E;10;;8\n",
        315.5,
    ),
    # weeks
    "iso weeks": ("Temps.csv", "Nom;Projet;2026-W05;2026-W06\nZ;W;35;28\nJ;W;7;\n", 70),
    "iso weeks in rows": ("Time.csv", "Name,Project,Week,Hours\nZ,W,2026-W05,35\nJ,W,2026-W06,35\n", 70),
    "kw in rows": (
        "Zeiten.csv",
        "Name;Projekt;Kalenderwoche;Stunden\nZ;W;KW 5/2026;35\nJ;W;KW 6/2026;35\n",
        70,
    ),
    "s05": ("Temps 2026.csv", "Nom;Projet;S05;S06;S07\nZ;W;35;28;7\n", 70),
    "kw headers": (
        "Zeiten 2026.csv",
        "Name;Projekt;KW 05;KW 06;Summe\nZ;W;35;28;63\nJ;W;7;0;7\nSumme;;42;28;70\n",
        70,
    ),
    "dutch weeks": ("Uren 2026.csv", "Medewerker;Project;wk 5;wk 6\nZ;W;35;28\nJ;W;7;\n", 70),
    "polish weeks": ("Godziny 2026.csv", "Pracownik;Projekt;tydz. 5;tydz. 6\nZ;W;35;28\nJ;W;7;\n", 70),
    # layout
    "header on row 12": (
        "Temps.csv",
        "\n".join([f"Ligne {n}" for n in range(1, 11)])
        + "\n\nNom;Projet;Date;Heures\nZoé;WEB;15/10/2026;7\nJo;ERP;16/10/2026;8\n",
        15,
    ),
    "footer": (
        "Temps.csv",
        "Nom;Projet;Date;Heures\nZoé;WEB;15/10/2026;7\nJo;ERP;16/10/2026;8\n\nTotal;;;15\nImprimé le 20/10/2026\n",
        15,
    ),
    "two tables": (
        "Temps.csv",
        "Nom;Projet;Date;Heures\nZoé;WEB;15/10/2026;7\nJo;ERP;16/10/2026;8\n\nProjet;Chef de projet;Statut\nWEB;Zoé;Ouvert\n",
        "the headers of another table",
    ),
    "cells of several lines": (
        "Temps.csv",
        'Nom;Projet;Date;"Heures\n(h)";Commentaire\nZoé;WEB;15/10/2026;7;"a\nb;c ""d"""\nJo;ERP;16/10/2026;8;\n',
        15,
    ),
    "errors": (
        "Temps.csv",
        "Nom;Projet;Date;Heures\nZ;W;12/10/2026;7\nZ;W;13/10/2026;7\nZ;W;14/10/2026;7\nZ;W;15/10/2026;7\nZ;W;16/10/2026;#REF!\n",
        "is an error of the spreadsheet",
    ),
    "errors n/a": (
        "Temps.csv",
        "Nom;Projet;Date;Heures\nZ;W;12/10/2026;7\nZ;W;13/10/2026;7\nZ;W;14/10/2026;7\nZ;W;15/10/2026;7\nZ;W;16/10/2026;#N/A\n",
        "is an error of the spreadsheet",
    ),
    "weekends empty": (
        "Temps.csv",
        "Nom;Projet;Date;Heures\n"
        + "".join(
            f"Zoé;{'WEB' if n not in (3, 4) else ''};{n:02}/10/2026;{7 if n not in (3, 4) else ''}\n"
            for n in range(1, 15)
        ),
        84,
    ),
    "unit in a row below": (
        "Temps.csv",
        "Nom;Projet;Date;Durée\n;;jj/mm/aaaa;heures\nZoé;WEB;15/10/2026;7\nJo;ERP;16/10/2026;8\n",
        15,
    ),
    "days worked": (
        "CRA octobre 2026.csv",
        "Consultant;Mission;Jours travaillés\nZoé;WEB;18,5\nJo;ERP;20\n",
        "needs the field 'day'",
    ),
    "fte plan": (
        "Plan de charge 2026.csv",
        "Ressource;Projet;Mois;ETP\nZoé;WEB;01/2026;0,5\nJo;ERP;01/2026;1\n",
        "FTE",
    ),
    "fte capacity": (
        "Capacity 2026.csv",
        "Resource;FTE capacity;FTE planned\nZoe;1;0.5\nJo;0.8;0.8\n",
        "FTE",
    ),
    "google sheets": (
        "Time.csv",
        "Timestamp,Email Address,Project,Date worked,Hours worked\n2026/10/05 9:12:01 AM GMT+2,z@example.org,WEB,05/10/2026,7.5\n2026/10/16 9:12:01 AM GMT+2,j@example.org,ERP,16/10/2026,8\n",
        15.5,
    ),
    "tasks of libreoffice": (
        "Tâches.csv",
        '"Tâche";"Projet";"Échéance";"Statut"\n"Étude";"WEB";"15/10/26";"Ouvert"\n"Dév";"WEB";"30/10/26";"Clos"\n',
        {"task": 2},
    ),
    "time and money": (
        "Temps.csv",
        "Nom;Projet;Date;Heures;Taux;Montant\nZoé;WEB;15/10/2026;7;80,00;560,00\nJo;ERP;16/10/2026;8;90,00;720,00\n",
        15,
    ),
    "budget total in the middle": (
        "Budget 2026.csv",
        "Projet;Poste;Budget\nWEB;Interne;1000\nWEB;Externe;2000\nTotal WEB;;3000\nERP;Interne;500\nERP;Externe;500\nTotal ERP;;1000\nTotal général;;4000\n",
        {"baseline": 4000},
    ),
    "merged projects": (
        "Budget 2026.csv",
        "Projet;Poste;Budget\nWEB;Interne;1000\n;Externe;2000\nERP;Interne;500\n;Externe;500\n",
        {"baseline": 4000},
    ),
    "months as numbers": (
        "Heures 2026.csv",
        "Nom;Projet;1;2;3;4;5;6;7;8;9;10;11;12\nZ;W;100;100;;;;;;;;;;10\n",
        "not clear",
    ),
    "mm/yy": ("Heures.csv", "Nom;Projet;01/26;02/26;03/26\nZ;W;100;110;5\n", 215),
    "mmm-yy": ("Heures.csv", "Nom;Projet;janv.-26;févr.-26;mars-26\nZ;W;100;110;5\n", 215),
    "jan-26": ("Hours.csv", "Name,Project,Jan-26,Feb-26,Mar-26\nZ,W,100,110,5\n", 215),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text(tmp_path: Path, store: Store, name: str) -> None:
    """The figures are those of the hand, or what is not is said."""
    file, content, wanted = TEXTS[name]
    verdict, figures, told = outcome(text(tmp_path / file, content), store)
    if isinstance(wanted, str):
        assert wanted in "\n".join(told)
        assert verdict != "ok"
    else:
        hand = {"worklog": wanted} if isinstance(wanted, float | int) else wanted
        assert (hand, "ok") == (figures, verdict), told
