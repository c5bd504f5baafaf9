"""Products, active ingredients, units and doses in what an officer writes: the lists, their
sources, and how they are found. A dose without its product means nothing, nor does a product
without its label; so words that name one go out only with the safety words (agronomy reference, 1.2
and 1.3).

To add a name: put it into its row, in small letters without accents, with where it is from. Names
of two words are one name. A name that is an everyday word in one of our languages stays out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.words import one_slip, unaccented


@dataclass(frozen=True)
class Names:
    """what: the kind. names: as typed. source: where they stand."""

    what: str
    source: str
    names: tuple[str, ...]


# fmt: off
ROWS = (
    Names(
        "fungicide",
        "agronomy reference 2.1 to 2.4: S15, S18, S25, S26, S34; FRAC code list, common names",
        (
            "mancozeb", "mancozebe", "chlorothalonil", "copper", "cuivre", "shaba",
            "copper sulphate", "copper sulfate", "copper oxychloride", "oxychlorure", "oxychloride",
            "bordeaux", "bouillie bordelaise", "sulphur", "sulfur", "soufre", "azoxystrobin",
            "azoxystrobine", "difenoconazole", "tebuconazole", "propiconazole", "metalaxyl",
            "mefenoxam", "carbendazim", "benomyl", "thiophanate", "trifloxystrobin",
            "pyraclostrobin", "epoxiconazole", "cymoxanil", "propineb", "maneb", "zineb", "thiram",
            "captan", "hexaconazole", "triadimefon", "fosetyl", "dimethomorph", "fungicide",
            "fongicide", "triazole", "strobilurin",
        ),
    ),
    Names(
        "insecticide",
        "IRAC mode of action classification, common names",
        (
            "cypermethrin", "cypermethrine", "deltamethrin", "lambda cyhalothrin", "cyhalothrin",
            "permethrin", "dimethoate", "chlorpyrifos", "malathion", "diazinon", "profenofos",
            "imidacloprid", "acetamiprid", "thiamethoxam", "emamectin", "abamectin", "spinosad",
            "spinetoram", "chlorantraniliprole", "indoxacarb", "lufenuron", "carbofuran",
            "carbaryl", "endosulfan", "monocrotophos", "ddvp", "dichlorvos", "flubendiamide",
            "acephate", "fipronil", "methomyl", "insecticide", "pesticide", "acaricide",
        ),
    ),
    Names(
        "herbicide",
        "HRAC mode of action classification, common names",
        (
            "glyphosate", "paraquat", "atrazine", "metolachlor", "2 4 d", "nicosulfuron",
            "pendimethalin", "herbicide",
        ),
    ),
    Names(
        "trade name",
        "sold in East Africa under these names, from makers' own labels; not a register",
        (
            "dithane", "ridomil", "milthane", "oshothane", "indofil", "penncozeb", "safari",
            "amistar", "score", "folicur", "tilt", "nativo", "rova", "bravo", "daconil", "kocide",
            "cupravit", "cobox", "funguran", "victory", "fungozeb", "agrolaxyl", "duduthrin",
            "dudu cyper", "dudu accelamectin", "rocket", "karate", "decis", "confidor", "actara",
            "ampligo", "coragen", "belt", "radiant", "tracer", "escort", "prove", "roket",
            "thiodan", "furadan", "sevin", "ambush", "lambdex", "tafgor", "roundup", "gramoxone",
            "lasso", "dual gold", "touchdown", "weedall", "engeo", "denim", "voliam", "ortiva",
            "equation pro", "antracol", "topsin", "bavistin", "benlate", "thiovit", "kumulus",
        ),
    ),
    Names(
        "everyday name",
        "how products are called in the languages of the service; to be confirmed by speakers",
        (
            "umuti wica udukoko", "umuti wica", "dawa ya kuua", "dawa ya kunyunyizia", "viuatilifu",
            "kiuatilifu", "viuadudu", "kiuadudu", "viuakuvu", "kiuakuvu", "viuagugu",
            "phytosanitaire", "dithane m45",
        ),
    ),
)

EVERYDAY = frozenset({
    "score", "victory", "rocket", "karate", "safari", "tilt", "bravo", "belt", "radiant",
    "escort", "prove", "ambush", "denim", "tracer", "lasso", "rova", "touchdown",
    "equation pro", "copper", "cuivre", "shaba",
})
"""Names that are words of their own too: they count where a unit, a number, or a word for spraying
stands in the same text."""

UNITS = (
    # SI brochure (grams, litres and their parts), and household measures of extension leaflets.
    "g", "gr", "gm", "gms", "gram", "grams", "gramme", "grammes", "garama", "gramu", "kg",
    "kgs", "kilo", "kilos", "mg", "ml", "mls", "cc", "cl", "l", "lt", "ltr", "litre", "litres",
    "liter", "liters", "lita", "ilitiro", "litiro", "mililita", "mililitre", "millilitre",
    "millilitres", "spoon", "spoons", "teaspoon", "teaspoons", "tablespoon", "tablespoons",
    "cuillere", "cuilleres", "kijiko", "vijiko", "ikiyiko", "ibiyiko", "cap", "caps", "capful",
    "bouchon", "bouchons", "kifuniko", "vifuniko", "umufuniko", "sachet", "sachets", "bottle",
    "bottles", "ppm", "percent",
)
SPRAYING = (
    "spray", "sprays", "sprayed", "spraying", "pulveriser", "pulverisez", "pulverise",
    "pulverisation", "traiter", "traitez", "nyunyiza", "nyunyizia", "nyunyizieni", "pulizia",
    "tera umuti", "utere", "gutera", "apply", "appliquer", "appliquez", "mix", "melanger",
    "melangez", "changanya", "vanga", "dilute", "drench",
)
NUMBERS = (
    "one", "two", "three", "four", "five", "ten", "half", "un", "une", "deux", "trois",
    "quatre", "cinq", "demi", "moja", "mbili", "tatu", "nne", "tano", "nusu", "rimwe", "kimwe",
    "bibiri", "ebyiri", "bitatu", "eshatu", "a",
)
CARRIERS = (
    # What a dose is mixed with or spread over; units without one may be a harvest or a distance.
    "litre", "litres", "liter", "liters", "litiro", "lita", "water", "eau", "maji",
    "amazi", "pump", "pompe", "knapsack", "pulverisateur", "sprayer",
    "tank", "plant", "plants", "hectare", "ha", "acre", "acres", "per", "par", "kwa", "kuri",
    "liquid", "powder", "poudre",
)
# fmt: on

_NAMES = sorted((name for row in ROWS for name in row.names), key=len, reverse=True)
_SURE = [name for name in _NAMES if name not in EVERYDAY]
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_LONG_UNIT = "|".join(sorted((unit for unit in UNITS if len(unit) > 1), key=len, reverse=True))
_DIGITS = r"\d+(?:[.,/]\d+)?"
_DOSE = re.compile(
    rf"(?<!\w)(?:{_DIGITS}\s?(?:{_UNIT})|(?:{'|'.join(NUMBERS)})\s(?:{_LONG_UNIT})"
    rf"|(?:{_LONG_UNIT})\s(?:{_DIGITS}|{'|'.join(NUMBERS[:-1])}))(?!\w)"
)
_STRONG = re.compile(
    rf"(?<!\w){_DIGITS}\s?(?:{_UNIT})\s?"
    r"(?:/|per|par|pour|in|dans|kwa|kuri|mu|katika|ya|of|de)\s?"
    rf"(?:\d|a\b|{_UNIT}|water|eau|maji|amazi|pump|pompe|ha\b|hectare|acre|plant)"
)
_RATIO = re.compile(r"(?<!\w)\d+(?:[.,]\d+)?\s?(?:g|ml|kg|l|cc)\s?/\s?(?:l|litre|ha|acre|lt|\d+)")


def found(text: str) -> tuple[str, ...]:
    """Products, ingredients and doses that the text names, as it names them; empty for none.

    A number with a unit counts as a dose where it is a rate, or where a word for spraying, mixing
    or water stands in the same text: "2 kg of beans" is none.
    """
    plain = _plain(text)
    said = [name for name in _SURE if _stands(name, plain)]
    said += _misspelt(plain) if not said else []
    sprays = any(_stands(word, plain) for word in SPRAYING)
    near = sprays or any(_stands(word, plain) for word in CARRIERS)
    doses = [match[0].strip() for match in _DOSE.finditer(plain)]
    rates = [match[0].strip() for match in (*_STRONG.finditer(plain), *_RATIO.finditer(plain))]
    if sprays or doses:
        said += [name for name in sorted(EVERYDAY) if _stands(name, plain)]
    if said or near:
        said += doses
    named = dict.fromkeys([*said, *(rates if not doses or not near else [])])
    return tuple(one for one in named if not any(one != other and one in other for other in named))


def _stands(name: str, plain: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", plain) is not None


def _misspelt(plain: str) -> list[str]:
    """Words of eight letters and more that are one slip from a name: `mancozep`, `glifosate`."""
    long = [name for name in _SURE if len(name) >= 8 and " " not in name]
    words = re.findall(r"[a-z]{7,}", plain)
    return [word for word in words if any(one_slip(word, name) for name in long)]


def _plain(text: str) -> str:
    """Small letters without accents, signs but those of a number and a rate as blanks."""
    bare = unaccented(text).casefold()
    return " ".join(re.sub(r"[^\w.,/]|_|[.,](?!\d)", " ", bare).split())
