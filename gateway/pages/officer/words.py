"""What facts are called on the officer's pages, in the language of the page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.dialogue.catalogue import Catalogue, CatalogueError
from gateway.pages.base import t
from gateway.pages.base.install import spoken
from gateway.pages.officer import ages
from gateway.store.models import Case, Event
from gateway.teaching import labels

TOLD = {
    "stage": "option_stage_",
    "plants": "option_plants_",
    "sprayed": "option_",
    "seed": "option_",
    "pods": "option_",
    "look": "option_look_",
    "sign": "option_sign_",
    "sounds": "disease_",
    "reason": "option_reason_",
    "better": "option_",
}
"""What a farmer may have told, and which texts name the answers."""


@dataclass(frozen=True)
class Words:
    texts: Catalogue
    moment: datetime

    def crop(self, crop: str | None) -> str:
        return self._named("crop_", crop or "unknown")

    def label(self, label: str | None) -> str:
        if label == labels.NONE:
            return t("officer_none_of_these")
        return self._named("disease_", label or "unknown")

    def machine(self, verdict: str | None, label: str | None) -> str:
        """What the machine says of a photo or a case, as one phrase."""
        word = labels.machine_word(verdict, label)
        if word is not None and word != labels.NONE:
            return t("officer_looks_like", disease=self.label(word))
        return t(f"officer_verdict_{verdict or 'none_yet'}")

    def names(self, verdict: str | None) -> bool:
        """Whether with this verdict the machine names what it sees."""
        return verdict in labels.NAMING

    def judged(self, case: Case, known: Collection[str]) -> str:
        """As `machine`; where it is not sure, what came nearest, if the crop can have that."""
        if case.verdict == "unknown" and case.label in known:
            return t("officer_not_sure", disease=self.label(case.label))
        return self.machine(case.verdict, case.label)

    def why(self, key: str) -> str:
        """Args: key: what follows `why_` in the key of a text."""
        return self._named("why_", key)

    def age(self, at: datetime) -> str:
        unit, number = ages.age(self.moment - at)
        return t(f"officer_ago_{unit}", n=number)

    def deadline(self, opened_at: datetime) -> tuple[str, str]:
        """(`due` or `late`, the phrase for it)."""
        kind, unit, number = ages.left(opened_at, self.moment)
        return kind, t(f"officer_{kind}_{unit}", n=number)

    def told(self, answers: Mapping[str, object] | None) -> list[tuple[str, str]]:
        """(question, answer) of what the farmer told; unknown answers as they stand."""
        return [
            (t(f"officer_told_{name}"), self._named(prefix, str(answers[name])))
            for name, prefix in TOLD.items()
            if answers and answers.get(name)
        ]

    def happened(self, event: Event) -> str:
        if event.kind == "case":
            return t(f"officer_happened_{event.to_state}")
        label = self.label((event.data or {}).get("label"))
        return t(f"officer_happened_{event.kind}", label=label)

    def actor(self, event: Event, me: str) -> str:
        """Who did it, without a name; `me` is the reader's own actor."""
        return t("officer_by_you" if event.actor == me else f"officer_by_{_kind(event.actor)}")

    def percent(self, share: float | None) -> str:
        return "?" if share is None else f"{share:.0%}"

    def _named(self, prefix: str, name: str) -> str:
        try:
            return self.texts.text(prefix + name, spoken())
        except CatalogueError:
            return name


def _kind(actor: str) -> str:
    kind = actor.partition(":")[0]
    return kind if kind in ("machine", "farmer", "kiosk", "officer") else "service"
