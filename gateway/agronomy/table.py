"""The crops and diseases of the service: one row each, and nowhere else a list of them.

A new row goes to the end. Numbers on screens are for ever, because people dial paths by heart: a
new row takes the next free one, and a number that is free again is not given again. What the
columns mean stands at `Crop` and `Disease`; `gateway.agronomy` says what follows from a row, and
`docs/adding-a-disease.md` what else a new row needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Use = Literal["advised", "refused"]
"""`advised`: its advice may be sent. `refused`: the model knows it only so as not to take it for
something else; a person gets the case."""

TOLD = {
    "stage": ("young", "before_flowering", "flowering", "filling"),
    "plants": ("one", "few", "half", "most"),
    "sprayed": ("yes", "no"),
    "seed": ("yes", "no"),
    "pods": ("yes", "no"),
}
"""What a farmer may be asked beside the photo, and the answers that there are. seed: it is grown
for seed or cuttings. pods: there are spots on the pods."""


@dataclass(frozen=True)
class Crop:
    """code: in the store and in text keys. number: in every menu of crops. names: what people and
    programs may type for it, in any language, without accents. judged: whether photos of it can be
    judged; a crop that is not is only reported."""

    code: str
    number: int
    names: tuple[str, ...] = ()
    judged: bool = True


@dataclass(frozen=True)
class Disease:
    """label: the model's, in the store and in text keys. crop: the only one on which it is
    believed. number: in the crop's own menu. desk: in the officer's menu of answers. urgent: stages
    at which a person must look at once. well: a leaf without a disease."""

    label: str
    crop: str
    number: int
    desk: int
    use: Use = "advised"
    urgent: tuple[str, ...] = ()
    well: bool = False


# fmt: off
CROP_ROWS = (
    #    code       number  names
    Crop("maize",   1, ("maize", "corn", "mahindi", "ibigori", "mais")),
    Crop("beans",   2, ("beans", "bean", "maharage", "ibishyimbo", "haricot", "haricots")),
    Crop("cassava", 3, ("cassava", "manioc", "muhogo", "imyumbati")),
    Crop("other",   4, judged=False),
)

DISEASE_ROWS = (
    #       label             crop       number  desk
    Disease("bean_spot",      "beans",   1,      1),
    Disease("cassava_mosaic", "cassava", 1,      2),
    Disease("healthy",        "maize",   3,      3, well=True),  # learnt from maize leaves only
    Disease("maize_blight",   "maize",   2,      4, urgent=("before_flowering",)),
    Disease("maize_rust",     "maize",   1,      5, urgent=("before_flowering",)),
)
# fmt: on

DESK_VISIT, DESK_CALL, DESK_OTHER = 6, 7, 9
"""The officer's answers that name no disease, in the same menu."""
