"""The house as it looks from outside: what is not ready yet, and what there is to open."""

from __future__ import annotations

import redis
import requests

from gateway.channels import providers
from gateway.settings import Settings

PAGES = ("kiosk", "officer", "operator", "simulator")


def redis_trouble(settings: Settings) -> str:
    """Why Redis cannot be used yet; empty when it can."""
    with redis.Redis.from_url(settings.queue_url, socket_timeout=2) as client:
        try:
            client.ping()
        except redis.RedisError as error:  # not there yet, or still reading its file
            return f"Redis does not answer ({type(error).__name__})"
    return ""


def house_trouble(settings: Settings) -> str:
    """Why web process or simulator are not ready; empty when both are."""
    answer = _get(f"{settings.url}/health/ready")
    if answer is None:
        return "the web process does not answer"
    if answer.status_code != 200:
        return f"the web process says {' '.join(answer.text.split())[:200]}"
    if settings.simulator_on and _get(f"{settings.simulator_url}/simulator") is None:
        return "the simulator does not answer"
    return ""


def announcement(settings: Settings) -> str:
    """What to open, for a person at the terminal: the pages that there are."""
    lines = ["", "Leafline is running. Ctrl-C stops it.", ""]
    for page in PAGES:
        address = f"{settings.url}/{page}"
        answer = _get(address)
        if answer is not None and answer.status_code != 404:
            lines.append(f"  {page:<10} {address}")
    for provider in providers.chosen(settings):
        lines.append(
            f"  {'webhooks':<10} {settings.url}{provider.address(settings.webhook_keys[0])}"
        )
    lines.append(f"  {'home':<10} {settings.home.resolve()}")
    return "\n".join([*lines, "", ""])


def _get(address: str) -> requests.Response | None:
    """An answer of ours, whatever it says; None when there is none. No proxy, no redirect."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(address, timeout=5, allow_redirects=False)
    except requests.RequestException:
        return None
