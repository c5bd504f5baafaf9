"""Which advice a disease gets, by what was told of the crop: its stage, how many plants are sick,
whether it was sprayed, a seed crop, spots on pods. First match wins; a disease without a match gets
its plain text.

The numbers in `source` are those of the agronomy reference; D is the reference's own judgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LATE = ("flowering", "filling")
EARLY = ("young", "before_flowering")
OLDER = ("before_flowering", "flowering", "filling")


@dataclass(frozen=True)
class Rule:
    """label: of which disease; empty for every one. The told facts must each be among those named;
    what is not named may be anything, what is named must have been told. person: why an officer
    gets the case instead. text: what the keys of the texts end in, `diag_` and `ussd_` before it;
    the plain one is the label."""

    label: str
    source: str
    stage: tuple[str, ...] = ()
    plants: tuple[str, ...] = ()
    sprayed: tuple[str, ...] = ()
    seed: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    person: str = ""
    text: str = ""

    def fits(self, label: str, told: Mapping[str, str]) -> bool:
        named = {name: getattr(self, name) for name in FACTS}
        return self.label in ("", label) and all(
            told.get(name) in allowed for name, allowed in named.items() if allowed
        )


FACTS = ("stage", "plants", "sprayed", "seed", "pods")
YES = ("yes",)
HALF = ("half", "most")

# fmt: off
RULES = (
    # A leaf that looks healthy needs nothing; later in the season there is no whorl to look into.
    Rule("healthy",        "S57",           stage=LATE, text="healthy_late"),
    Rule("healthy",        "S57",           text="healthy"),
    # A person looks where much is at stake.
    Rule("",               "S48, S51",      pods=YES, person="pods"),
    Rule("bean_spot",      "S48",           seed=YES, person="seed_crop"),
    Rule("maize_rust",     "S15",           seed=YES, person="seed_crop"),
    Rule("maize_blight",   "D",             seed=YES, person="seed_crop"),
    Rule("cassava_mosaic", "S41, S42",      seed=YES, person="seed_crop"),
    Rule("maize_rust",     "S15",           stage=EARLY, plants=HALF, person="half_plants"),
    Rule("maize_blight",   "S36, S37",      stage=(*EARLY, "flowering"), plants=HALF,
         person="half_plants"),
    Rule("cassava_mosaic", "S20, S23",      plants=HALF, person="half_plants"),
    Rule("bean_spot",      "S34, S48",      stage=LATE, plants=HALF, person="half_plants"),
    Rule("",               "S7, D",         sprayed=YES, plants=HALF, person="sprayed"),
    # What was sprayed decides what may be done and eaten; nobody sprays a second time unasked.
    Rule("",               "S7",            sprayed=YES, text="sprayed"),
    # By stage.
    Rule("maize_rust",     "S11, S15",      stage=LATE, text="maize_rust_late"),
    Rule("maize_blight",   "S36, S38",      stage=("flowering",), text="maize_blight_cob"),
    Rule("maize_blight",   "S36, S38, D",   stage=("filling",), text="maize_blight_late"),
    Rule("cassava_mosaic", "S23",           stage=OLDER, text="cassava_mosaic_old"),
    Rule("bean_spot",      "S48",           stage=("filling",), text="bean_spot_pods"),
)
# fmt: on


@dataclass(frozen=True)
class Advice:
    text: str = ""
    """What the keys of the texts end in; empty where a person gets the case."""
    person: str = ""


def advice(label: str, told: Mapping[str, str]) -> Advice:
    """What a farmer is told of this disease, or why a person is."""
    for rule in RULES:
        if rule.fits(label, told):
            return Advice(rule.text, rule.person)
    return Advice(label)


def text_of(label: str, told: Mapping[str, str] | None) -> str:
    """The text of a disease that was advised on: by what was told, whoever it went to."""
    return advice(label, told or {}).text or label


def texts() -> Iterator[tuple[str, list[str]]]:
    """(row, keys of the messages that it needs), for every text beside the diseases' plain ones."""
    for text in dict.fromkeys(rule.text for rule in RULES if rule.text not in ("", rule.label)):
        yield text, [f"diag_{text}", f"ussd_{text}"]
