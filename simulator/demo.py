"""`leafline demo`: the whole journey against the simulator, told as it happens."""

from __future__ import annotations

import io
import secrets
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import phonenumbers
import requests
from PIL import Image, ImageFilter

from gateway.agronomy import CROP_OF
from gateway.context import Context
from gateway.people import kiosks, msisdn, officers
from gateway.running.outside import house_trouble
from gateway.running.premises import house_is_running
from gateway.settings import Settings
from inference.drawn import draw_leaf, draw_thing
from inference.model import Model
from inference.picture import normalise
from simulator.journey import LANGUAGE, Journey, JourneyFailed, Photo
from simulator.phone import Phone, PhoneError

START_SECONDS = 600.0
DRAWN = "maize_rust"


def play(settings: Settings, file: Path | None) -> None:
    """Raises: click.ClickException when Leafline does not start or a step does not happen."""
    if not settings.simulator_on:
        raise click.ClickException("the demo needs the simulator: set LEAFLINE_SIMULATOR=on")
    with _house(settings), _people(settings) as (context, token, officer_phone):
        journey = Journey(
            url=settings.url,
            token=token,
            farmer=Phone(settings.simulator_url, _new_number(settings.region)),
            officer=Phone(settings.simulator_url, officer_phone),
            texts=context.catalogue,
            tell=_tell,
        )
        photo = _photo(settings, file)
        try:
            journey.play(photo, (_unclear(context.model, photo), _shaken(photo, 40)))
        except (JourneyFailed, PhoneError, requests.RequestException) as error:
            raise click.ClickException(f"the journey stopped: {error}") from None


@contextmanager
def _house(settings: Settings) -> Iterator[None]:
    """The house that runs in this home, or one of our own for the time of the demo."""
    if house_is_running(settings):
        click.echo(f"Leafline runs already, at {settings.url}; nothing more is started.")
        yield
        return
    click.echo("Starting Leafline for the demo ...")
    with tempfile.TemporaryFile("w+") as log:
        words = [sys.executable, "-P", "-m", "gateway", "up"]
        house = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
        )
        try:
            until = time.monotonic() + START_SECONDS
            while house_trouble(settings):
                if house.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    *before, last = log.read().strip().splitlines() or ["it did not get ready"]
                    click.echo("\n".join(before[-20:]), err=True)
                    raise click.ClickException(last.removeprefix("Error: "))
                time.sleep(0.2)
            yield
        finally:
            house.send_signal(signal.SIGTERM)
            house.wait()


@contextmanager
def _people(settings: Settings) -> Iterator[tuple[Context, str, str]]:
    """A kiosk and an officer in an area of their own, disabled again afterwards."""
    context = Context.open(settings)
    name = f"Demo {secrets.token_hex(3)}"
    number = _new_number(settings.region)
    with context.store.transaction() as session:
        kiosk, token = kiosks.add(session, name, area=name)
        officer, _pin = officers.add(session, number, name, name, [LANGUAGE])
        officer_id, kiosk_name = officer.id, kiosk.name
    try:
        yield context, token, number
    finally:
        with context.store.transaction() as session:
            kiosks.disable(session, kiosk_name)
            officers.disable(session, officer_id)
        context.close()


def _new_number(region: str) -> str:
    """A number that could be a mobile one of this country; it rings in the simulator only."""
    kind = phonenumbers.PhoneNumberType.MOBILE
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        raise click.ClickException(f"no mobile numbers are known for LEAFLINE_REGION {region}")
    stem = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[:-6]
    while True:
        with suppress(msisdn.BadNumber):
            return msisdn.parse(f"{stem}{secrets.randbelow(10**6):06d}", region)


def _photo(settings: Settings, file: Path | None) -> Photo:
    if file is None:
        click.echo("No photo given: the leaf is drawn by the program, it is no photograph.")
        return Photo("a drawn leaf", draw_leaf(DRAWN, secrets.randbelow(10**6)), CROP_OF[DRAWN])
    data = file.read_bytes()
    answer = requests.post(f"{settings.url}/api/predict", files={"photo": data}, timeout=60)
    label = str(answer.json()["label"]) if answer.ok else ""
    crop = CROP_OF.get(label, "maize")
    click.echo(f"The agent would name the crop; here it is that of the model's best label: {crop}.")
    return Photo(file.name, data, crop)


def _unclear(model: Model, photo: Photo) -> Photo:
    """A picture for which the machine asks for a second photo: the same leaf out of focus, or a
    drawing of something else."""
    shaken = (_shaken(photo, radius) for radius in (2, 4, 6, 9, 13, 20))
    drawn = (Photo("a drawing of no leaf", draw_thing(seed), photo.crop) for seed in range(20))
    pictures = [*shaken, *drawn]
    verdicts = {
        model.judge(normalise(picture.data).jpeg).verdict: picture for picture in reversed(pictures)
    }
    wanted = ("second_photo", "no_leaf", "unknown")
    return next((verdicts[v] for v in wanted if v in verdicts), pictures[-1])


def _shaken(photo: Photo, radius: int) -> Photo:
    """The same leaf out of focus; `radius` in pixels of a picture 256 pixels wide."""
    with Image.open(io.BytesIO(photo.data)) as picture:
        blurred = picture.convert("RGB").resize((256, 256)).filter(ImageFilter.GaussianBlur(radius))
    out = io.BytesIO()
    blurred.save(out, "JPEG")
    return Photo("the same leaf, out of focus", out.getvalue(), photo.crop)


def _tell(who: str, what: str) -> None:
    indent = " " * 10
    lines = what.splitlines()
    wrapped = [textwrap.fill(line, 100, subsequent_indent=indent + "  ") for line in lines]
    click.echo(f"{who:<10}" + f"\n{indent}  ".join(wrapped))
