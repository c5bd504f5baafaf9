"""Bounds that the page's scripts share with the server, handed over with the page."""

from __future__ import annotations

from typing import Any

from phonenumbers import PhoneMetadata

from gateway.cases import life
from gateway.cases.intake import MAX_PHOTOS
from gateway.cases.kiosk_list import MOST
from gateway.people import msisdn
from gateway.settings import Settings
from inference import picture, quality

PHOTO_BYTES = 150_000
"""Of a photo that the phone could make small: half a minute on a 2G network."""


def bounds(settings: Settings) -> dict[str, Any]:
    return {
        "photos": MAX_PHOTOS,
        "listed": MOST,
        "picture": {
            "long_side": picture.MAX_SIDE,
            "short_side": picture.MIN_SIDE,
            "room": PHOTO_BYTES,
            "upload": settings.photo_max_bytes,
            "heif_brands": picture.heif_brands(),
        },
        "quality": {
            "square": quality.SQUARE,
            "sharpness": quality.MIN_SHARPNESS,
            "brightness": quality.MIN_BRIGHTNESS,
            "burnt_share": quality.MAX_BURNT,
            "burnt": quality.BURNT,
        },
        "states": {
            "thinking": [life.RECEIVED, life.DIAGNOSED],
            "with_officer": list(life.IN_HAND),
            "over": [life.ANSWERED, life.CLOSED],
        },
        "phone": phone(settings.region),
    }


def phone(region: str) -> dict[str, Any]:
    """How long a mobile number of the region and of the world is, for a first check of what was
    typed. Ranges are left to the server: the tables on a phone that was long away are old."""
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.mobile is None:
        return {"country": "", "prefix": "", "lengths": [], "e164": msisdn.E164.pattern}
    lengths = metadata.mobile.possible_length
    return {
        "country": str(metadata.country_code),
        "prefix": metadata.national_prefix or "",
        "lengths": list(lengths or ()),
        "e164": msisdn.E164.pattern,
    }


def example(region: str) -> str:
    """A mobile number as it is written in the region; empty where there is none."""
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.mobile is None:
        return ""
    return (metadata.national_prefix or "") + (metadata.mobile.example_number or "")
