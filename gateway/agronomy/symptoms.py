"""What a sick crop looks like, in pictures of words, and what that sounds like: for a farmer who
reports without a photo. Two questions at most; "sounds like", never "is".

The numbers in `source` are those of the agronomy reference; those beyond it stand in SOURCES. A new
row goes to the end, and numbers on screens are for ever, as in `table`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SOURCES = {
    "S101": "mln.cimmyt.org, control and management of maize lethal necrosis",
    "S102": "Bayer Crop Science, foliar symptoms of corn nutrient deficiency, January 2022",
    "S103": "CABI, PlantwisePlus blog of 30 June 2022 and infonet-biovision.org, on bean fly",
    "S104": "Pacific Pests & Pathogens fact sheet 329; farmstocking.com, on cassava mealybug",
    "S105": "FAO and CABI 2019, Fall Armyworm Field Handbook, ISBN 978-92-5-131231-5",
}


@dataclass(frozen=True)
class Trouble:
    """code: a label of the model where it has one, and in text keys. number: in the crop's menu of
    advice, for what the camera does not know; 0: no page. person: an officer must look, whatever
    the extent. names: what people write for it, beside the names in the texts, without accents."""

    code: str
    crop: str
    source: str
    number: int = 0
    person: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sign:
    """An answer to a look's second question. trouble: empty where nobody can tell from afar."""

    number: int
    name: str
    trouble: str = ""


@dataclass(frozen=True)
class Look:
    """An answer to "what does it look like?". trouble: what it sounds like by itself. signs: what
    is asked to part it from its look-alikes. pods: it tells of spots on pods."""

    crop: str
    number: int
    name: str
    trouble: str = ""
    signs: tuple[Sign, ...] = ()
    pods: bool = False


# fmt: off
TROUBLES = (
    #       code               crop       source
    Trouble("maize_rust",      "maize",   "S10, S11"),
    Trouble("maize_blight",    "maize",   "S36"),
    Trouble("armyworm",        "maize",   "S57, S58, S105", number=4, names=(
        "armyworm", "armyworms", "army worm", "army worms", "faw", "viwavi", "viwavi jeshi",
        "chenille", "chenilles", "chenille legionnaire", "nkongwa")),
    Trouble("lethal_necrosis", "maize",   "S28, S59, S60, S101", number=5, person=True, names=(
        "mln", "mlnd", "necrosis", "lethal necrosis", "necrose", "necrose letale")),
    Trouble("nitrogen_lack",   "maize",   "S102", number=6, names=(
        "nitrogen", "lack of nitrogen", "azote", "nitrojeni", "naitrojeni")),
    Trouble("grey_spot",       "maize",   "S26"),
    Trouble("streak",          "maize",   "S27"),
    Trouble("southern_rust",   "maize",   "S10, S12", person=True),
    Trouble("bean_spot",       "beans",   "S48"),
    Trouble("bean_rust",       "beans",   "S54"),
    Trouble("anthracnose",     "beans",   "S51"),
    Trouble("bean_fly",        "beans",   "S103"),
    Trouble("cassava_mosaic",  "cassava", "S20"),
    Trouble("brown_streak",    "cassava", "S44, S45, S46", number=2, person=True, names=(
        "brown streak", "cbsd", "striure brune", "michirizi", "michirizi kahawia")),
    Trouble("green_mite",      "cassava", "S47"),
    Trouble("mealybug",        "cassava", "S47, S104"),
)

NONE = 9
"""The number of "none of these" on every screen of looks."""

LOOKS = (
    #    crop       number  name
    Look("maize",   1, "rusty_dust", signs=(       # powder on both faces, or on the upper one only
        Sign(1, "both_sides", "maize_rust"), Sign(2, "top_only", "southern_rust"))),
    Look("maize",   2, "long_stripes", signs=(     # cigars, or rectangles that the veins bound
        Sign(1, "cigar", "maize_blight"), Sign(2, "ruler", "grey_spot"))),
    Look("maize",   3, "pale_leaves", signs=(
        Sign(1, "pale_lines", "streak"), Sign(2, "mottled", "lethal_necrosis"),
        Sign(3, "old_tips", "nitrogen_lack"))),
    Look("maize",   4, "funnel", "armyworm"),
    Look("maize",   NONE, "none"),
    Look("beans",   1, "straight_spots", signs=(
        Sign(1, "grey_mould", "bean_spot"), Sign(2, "red_veins", "anthracnose"),
        Sign(3, "nothing_below", "bean_spot"))),
    Look("beans",   2, "rusty_dust", "bean_rust"),
    Look("beans",   3, "pod_sores", "anthracnose", pods=True),
    Look("beans",   4, "wilting", "bean_fly"),
    Look("beans",   NONE, "none"),
    Look("cassava", 1, "twisted", signs=(          # both diseases may stand in one field
        Sign(1, "streaks_too", "brown_streak"), Sign(2, "leaves_only", "cassava_mosaic"))),
    Look("cassava", 2, "old_yellow", signs=(
        Sign(1, "streaks_too", "brown_streak"), Sign(2, "leaves_only"))),
    Look("cassava", 3, "stem_streaks", "brown_streak"),
    Look("cassava", 4, "dots", "green_mite"),
    Look("cassava", 5, "wool", "mealybug"),
    Look("cassava", NONE, "none"),
)
# fmt: on

BY_CODE = {row.code: row for row in TROUBLES}


def looks_of(crop: str) -> list[Look]:
    return sorted((row for row in LOOKS if row.crop == crop), key=lambda row: row.number)


def pages_of(crop: str) -> list[Trouble]:
    """What has a page of advice though the camera does not know it."""
    return [row for row in TROUBLES if row.crop == crop and row.number]


def sounds_like(crop: str, look: str, sign: str = "") -> Trouble | None:
    """What these answers sound like; None where they tell too little.

    Args:
        sign: the answer to the look's second question, where it has one.
    """
    row = next((row for row in LOOKS if (row.crop, row.name) == (crop, look)), None)
    if row is None:
        return None
    names = {answer.name: answer.trouble for answer in row.signs}
    return BY_CODE.get(names.get(sign, "") if row.signs else row.trouble)


def tells_of_pods(crop: str, look: str) -> bool:
    return any(row.pods for row in LOOKS if (row.crop, row.name) == (crop, look))


def texts() -> Iterator[tuple[str, list[str]]]:
    """(row, keys of the messages that it needs), for every row."""
    for trouble in TROUBLES:
        keys = [f"disease_{trouble.code}"]
        if trouble.number:
            keys += [f"ussd_about_{trouble.code}", f"prevent_{trouble.code}"]
        yield trouble.code, keys
    for look in LOOKS:
        signs = [f"option_sign_{answer.name}" for answer in look.signs]
        asked = [f"ussd_sign_{look.name}"] if look.signs else []
        yield f"{look.crop} {look.name}", [f"option_look_{look.name}", *asked, *signs]


def contradictions(crops: set[str], numbers: dict[str, set[int]]) -> Iterator[str]:
    """What is wrong with these rows.

    Args:
        numbers: those of each crop's menu of advice that diseases of the model have.
    """
    where = "gateway/agronomy/symptoms.py"
    for look in LOOKS:
        named = [answer.trouble for answer in look.signs] if look.signs else [look.trouble]
        for code in filter(None, named):
            if code not in BY_CODE or BY_CODE[code].crop != look.crop:
                yield f"{where}: {look.name} of {look.crop} sounds like {code}, which is not of it"
    for trouble in TROUBLES:
        if trouble.crop not in crops:
            yield f"{where}: {trouble.code} is of the crop {trouble.crop}, which has no row"
        if trouble.number in numbers.get(trouble.crop, set()):
            yield f"{where}: {trouble.code}'s number {trouble.number} is a disease's already"
