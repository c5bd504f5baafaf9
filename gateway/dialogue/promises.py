"""What officers promise in their own words: to call or to come, and on which day. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.people import hours
from gateway.words import plain
from gateway.words import word_set as _words

How = Literal["call", "visit", "asked"]
"""`asked`: the farmer is asked to call."""

READY: dict[str, How] = {"note_visit": "visit", "note_call": "call"}
"""Ready texts that promise."""
WITHIN = timedelta(days=2)
"""By when somebody calls or comes who names no day."""
AT_LEAST = timedelta(hours=2)
"""So long is left to whoever promises today's call in the evening."""
EVENING = timedelta(hours=18)
"""Nobody is asked later than this in the day."""
LAST = timedelta(hours=23, minutes=59)
OFFICE_HOURS = "08:00-17:00"
"""Of the operator."""


ASKING = (
    "CALL ME", "PLEASE CALL ME", "RING ME", "PHONE ME", "APPELEZ MOI", "APPELLE MOI",
    "RAPPELEZ MOI", "NIPIGIE", "NIPIGIENI", "MPAMAGARA", "MPAMAGARE", "NPAMAGARA", "UMPAMAGARE",
)  # fmt: skip
"""How an officer asks the farmer to call: no advice, and no promise of theirs."""
PROMISES = (
    "I SHALL", "I WILL BE", "I LL BE", "I AM GOING TO", "I M GOING TO", "I WILL SEE", "I LL SEE",
    "WILL CALL", "WILL VISIT", "WILL COME", "MY WAY", "WILL BE THERE", "EXPECT ME", "NIKO NJIANI",
    "NDAJE", "COMING", "CALLING YOU", "I WILL TRY", "JE VAIS VOUS", "JE SERAI", "NJE KUGUSURA",
)  # fmt: skip
"""How a promise to call or to come begins, where `_promises` does not know it."""
SELF = _words("I WE LET JE J NOUS ON")
SHALL = _words(
    "LL WILL SHALL M AM ARE CAN COULD MAY PLAN HOPE WANT INTEND NEED HAVE MUST TRY GOING GONNA TO",
    "BE MYSELF ALSO SURELY SOON GIVE PAY MAKE A YOU THERE ME US ON MY WAY PERSONALLY FIRST NOW",
    "JUST",
    "VAIS ALLONS VAS VA VOUS TE PEUX POURRAI VEUX COMPTE ESSAIE ESSAIERAI DE D Y SUIS SERAI EN",
    "ROUTE POUR AUSSI DEMAIN TOMORROW",
)
"""What may stand between who promises and what."""
COMING = _words(
    "VISIT VISITING COME COMING PASS PASSING DROP ARRIVE ARRIVING REACH INSPECT WAY",
    "VENIR VIENS VIENT VIENDRAI VIENDRONS VIENDRA PASSER PASSE PASSERAI PASSERONS PASSERA VISITER",
    "VISITE VISITERAI VISITERONS ARRIVE ARRIVERAI REVIENS REVIENDRAI RENDS RENDRAI RENDRONS ROUTE",
)
ONE_WORD = re.compile(
    r"(NITA|NINA|TUTA|TUNA|NA)(KU|WA|M|MU)?(JA|PIGA|PIGIA|TEMBELEA|FIKA|FIKIA|PITA|PITIA|RUDI)"
    r"|(NZA|NDA|TUZA|TURA)(KU|GU|BA|MU|KI)?(ZA|SURA|SANGA|HAMAGARA|GERA|GERAHO|TELEFONA)"
)
"""Swahili and Kinyarwanda say who, when and what in one word."""
ONE_WORD_CALLS = ("PIGA", "PIGIA", "HAMAGARA", "TELEFONA")
CALLING = _words(
    "CALL CALLING PHONE PHONING RING RINGING TELEPHONE APPELLE APPELLERAI APPELER RAPPELLE",
    "RAPPELLERAI RAPPELER TELEPHONE TELEPHONERAI TELEPHONER NZAHAMAGARA NDAHAMAGARA NZAGUHAMAGARA",
    "NDAGUHAMAGARA NZABAHAMAGARA NDABAHAMAGARA GUHAMAGARA NITAPIGA NITAKUPIGIA NITAWAPIGIA KUPIGA",
    "KUKUPIGIA SIMU",
)
"""Of a promise: a call, and no visit."""
BEFORE_PROMISES = _words(
    "HELLO HI HEY DEAR FARMER OK OKAY YES SIR MADAM PLEASE SORRY THANKS THANK YOU THEN SO NOW",
    "ON THIS NEXT MORNING AFTERNOON EVENING AT BONJOUR BONSOIR CHER CHERE OUI MERCI D ACCORD ALORS",
    "LE CE MATIN SOIR PROCHAIN MURAHO MWARAMUTSE MWIRIWE YEGO NI BYIZA KU KUWA HABARI HUJAMBO",
    "NDIYO SAWA NDUGU SIKU YA",
)
"""What may stand before a promise at the start of a sentence."""
JOINING = _words("AND THEN BUT ET PUIS MAIS KANDI MAZE ARIKO NA KISHA LAKINI")

WEEKDAYS = (
    ("MONDAY", "LUNDI", "KUWA MBERE", "JUMATATU"),
    ("TUESDAY", "TUE", "TUES", "MARDI", "KUWA KABIRI", "JUMANNE"),
    ("WEDNESDAY", "WED", "MERCREDI", "KUWA GATATU", "JUMATANO"),
    ("THURSDAY", "THU", "THUR", "THURS", "JEUDI", "KUWA KANE", "ALHAMISI"),
    ("FRIDAY", "FRI", "VENDREDI", "KUWA GATANU", "IJUMAA"),
    ("SATURDAY", "SAT", "SAMEDI", "KUWA GATANDATU", "JUMAMOSI"),
    ("SUNDAY", "DIMANCHE", "KU CYUMWERU", "JUMAPILI"),
)
DAYS_PHRASED = {
    "DAY AFTER TOMORROW": 2, "APRES DEMAIN": 2, "KESHO KUTWA": 2, "EJO BUNDI": 2,
    "NEXT WEEK": 7, "SEMAINE PROCHAINE": 7, "WIKI IJAYO": 7, "ICYUMWERU GITAHA": 7,
    "UYU MUNSI": 0, "CE SOIR": 0, "CE MATIN": 0, "CET APRES MIDI": 0, "THIS MORNING": 0,
    "THIS AFTERNOON": 0, "THIS EVENING": 0, "AUJOURD HUI": 0,
}  # fmt: skip
"""Looked for before single words: the longer phrase says more."""
DAYS_AWAY = {
    "TODAY": 0, "TONIGHT": 0, "TOMORROW": 1, "TOMOROW": 1, "TOMMORROW": 1, "TMRW": 1, "TMR": 1,
    "DEMAIN": 1, "KESHO": 1, "KESHOKUTWA": 2, "LEO": 0, "EJO": 1, "EJOBUNDI": 2,
    "NONAHA": 0, "NOW": 0,
}  # fmt: skip
"""`EJO` is yesterday too, which nobody promises."""
NUMBERS = {
    "ONE": 1, "A": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5, "UN": 1, "UNE": 1, "DEUX": 2,
    "TROIS": 3, "QUATRE": 4, "CINQ": 5, "MOJA": 1, "MBILI": 2, "TATU": 3, "NNE": 4, "TANO": 5,
    "IBIRI": 2, "ITATU": 3, "INE": 4, "ITANU": 5,
}  # fmt: skip
_N = rf"(\d|{'|'.join(NUMBERS)})"
IN_DAYS = (
    rf"\b(?:IN|WITHIN|DANS|SOUS) {_N} (?:DAYS?|JOURS?)\b"
    rf"|\b(?:SIKU|IMINSI|MINSI) {_N}\b"
)

MONTHS = (
    ("JANUARY", "JAN", "JANVIER", "JANV", "MUTARAMA", "JANUARI"),
    ("FEBRUARY", "FEB", "FEVRIER", "FEV", "FEVR", "GASHYANTARE", "FEBRUARI"),
    ("MARCH", "MAR", "MARS", "WERURWE", "MACHI"),
    ("APRIL", "APR", "AVRIL", "AVR", "MATA", "APRILI"),
    ("MAY", "MAI", "GICURASI", "MEI"),
    ("JUNE", "JUN", "JUIN", "KAMENA", "JUNI"),
    ("JULY", "JUL", "JUILLET", "JUIL", "NYAKANGA", "JULAI"),
    ("AUGUST", "AUG", "AOUT", "KANAMA", "AGOSTI"),
    ("SEPTEMBER", "SEP", "SEPT", "SEPTEMBRE", "NZERI", "SEPTEMBA"),
    ("OCTOBER", "OCT", "OCTOBRE", "UKWAKIRA", "OKTOBA"),
    ("NOVEMBER", "NOV", "NOVEMBRE", "UGUSHYINGO", "NOVEMBA"),
    ("DECEMBER", "DEC", "DECEMBRE", "UKUBOZA", "DESEMBA", "DISEMBA"),
)
"""Of each language."""
_WEEKDAYS = {name: number for number, row in enumerate(WEEKDAYS) for name in row}
_PHRASED_WEEKDAYS = sorted((n for n in _WEEKDAYS if " " in n), key=len, reverse=True)
_OF_DAYS = {word for phrase in (*_WEEKDAYS, *DAYS_AWAY, *DAYS_PHRASED) for word in phrase.split()}


def how(words: str, ready: str = "") -> How | None:
    """What is promised by a sentence that begins so, greetings and the day aside. None: nothing.

    Args:
        words: with their line ends, which end sentences.
        ready: key of the ready text that they are, if they are one.
    """
    if ready in READY:
        return READY[ready]
    for sentence in re.split(r"[.!?;:,\r\n\u2026]|\s-\s", words):
        tokens = plain(sentence).split()
        while tokens and (tokens[0] in BEFORE_PROMISES or tokens[0] in _OF_DAYS):
            tokens.pop(0)
        for start in _starts(tokens):
            part = tokens[start:]
            if _begins(part, ASKING):
                return "asked"
            if part and (_promises(part) or _begins(part, PROMISES)):
                calls = set(part) & CALLING or part[0].endswith(ONE_WORD_CALLS)
                return "call" if calls else "visit"
    return None


def _begins(tokens: list[str], phrases: tuple[str, ...]) -> bool:
    return f"{' '.join(tokens)} ".startswith(tuple(f"{phrase} " for phrase in phrases))


def _promises(tokens: list[str]) -> bool:
    if ONE_WORD.fullmatch(tokens[0]):
        return True
    if tokens[0] not in SELF:
        return False
    for token in tokens[1:]:
        if token in COMING | CALLING:
            return True
        if token not in SHALL:
            return False
    return False


def _starts(tokens: list[str]) -> list[int]:
    """Where a sentence, or what is joined to it by an "and", begins."""
    return [0, *(n + 1 for n, token in enumerate(tokens) if token in JOINING)]


def day(words: str, today: date) -> date | None:
    """The day that is named: `tomorrow`, `on Friday`, `in 3 days`, `5 Dec`; the next that comes.
    None: none is, or it is no day of the calendar."""
    said = plain(words)
    padded = f" {said} "
    for phrase, days in DAYS_PHRASED.items():
        if f" {phrase} " in padded:
            return today + timedelta(days=days)
    if match := re.search(IN_DAYS, said):
        number = next(filter(None, match.groups()))
        return today + timedelta(days=int(NUMBERS.get(number, number)))
    for phrase in _PHRASED_WEEKDAYS:
        if f" {phrase} " in padded:
            return _next(_WEEKDAYS[phrase], today)
    dated = until(words, today)
    if dated is not None:
        return dated
    for token in said.split():
        if token in DAYS_AWAY:
            return today + timedelta(days=DAYS_AWAY[token])
        if token in _WEEKDAYS:
            return _next(_WEEKDAYS[token], today)
    return None


def _next(weekday: int, today: date) -> date:
    """The next day of that name; today's own name means in a week's time only in the evening, which
    nobody can tell here: it means today."""
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def until(text: str, today: date) -> date | None:
    """The date that a text names: `5 Dec`, `Dec 5th`, `5/12`, `2026-12-05`; the next that comes."""
    if match := re.search(r"(\d{4})-(\d\d?)-(\d\d?)", text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    said = plain(text)
    months = {name: number for number, row in enumerate(MONTHS, 1) for name in row}
    number = month = 0
    for token in said.split():
        if token in months:
            month = months[token]
        elif (found := re.fullmatch(r"(\d\d?)(?:ST|ND|RD|TH|ER)?", token)) and not number:
            number = int(found[1])
    if not month and (match := re.search(r"(\d\d?)\s*[/.]\s*(\d\d?)", text)):
        number, month = int(match[1]), int(match[2])
    if not number or not month:
        return None
    this = _date(today.year, month, number)
    return this if this is None or this >= today else _date(today.year + 1, month, number)


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def due(day: date, work_hours: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """The end of that working day, for a promise made at `moment`."""
    _, closes = work_hours.split("-")
    midnight = datetime.combine(day, time(), zone)
    end = midnight + min(hours.of_day(closes), EVENING)
    return max(end, min(moment + AT_LEAST, midnight + LAST))
