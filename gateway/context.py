"""What one process shares: settings, store, photos, Redis and texts, opened once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue

from gateway import agronomy, queues
from gateway.cases.desk import Desk
from gateway.dialogue import rows
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.parts import Parts
from gateway.dialogue.ussd import sessions
from gateway.dialogue.ussd.service import Line
from gateway.outbox import wake
from gateway.people import hours, msisdn, officer_links
from gateway.people.areas import Units
from gateway.privacy import erasure
from gateway.privacy.book import Book
from gateway.settings import Settings, SettingsError
from gateway.spool import Spool
from gateway.store import Store
from gateway.store.photos import PhotoStore, open_photos
from gateway.store.vault import Vault
from inference.card import Card, ModelError

if TYPE_CHECKING:
    from inference.model import Model

BOOK = "erasures"
REDIS_TIMEOUT = 1.0
"""Seconds for connecting and for an answer: a farmer in a session must not wait for more."""


@dataclass(frozen=True)
class Context:
    settings: Settings
    store: Store
    photos: PhotoStore
    catalogue: Catalogue
    redis: redis.Redis
    """For short questions: it gives up after REDIS_TIMEOUT."""

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open what can be opened without a running server; connections are made when used.

        Raises:
            SettingsError, StoreError, CatalogueError, AgronomyError: one line that says what to do.
        """
        _check_rows(settings)
        vault = Vault(settings.encryption_key, settings.old_keys)
        _check_operator(settings)
        store = Store(settings.store_url, vault)
        connection = redis.Redis.from_url(
            settings.queue_url,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
            # The library's own three retries with back-off would take four seconds more.
            retry=Retry(NoBackoff(), 1),
        )
        wake.install(store, connection)
        spool = Spool(settings.spool, vault)
        beyond = erasure.Beyond(
            Book(settings.home / BOOK),
            (
                lambda phone: spool.forget(
                    lambda fields: erasure.number_in(fields, settings.region) == phone
                ),
                lambda phone: sessions.forget(connection, vault, phone),
            ),
        )
        erasure.install(store, beyond)
        catalogue = Catalogue.load(
            settings.templates,
            **settings.in_texts(),
        )
        rows.require(catalogue)
        return cls(
            settings=settings,
            store=store,
            photos=open_photos(settings.photos_url, settings.home, vault),
            catalogue=catalogue,
            redis=connection,
        )

    @cached_property
    def desk(self) -> Desk:
        return Desk(
            texts=self.catalogue,
            operator_phone=_check_operator(self.settings),
            language=self.settings.language,
            dial_to_answer="" if self.settings.sms_both_ways else self.settings.ussd_code,
            link_base=officer_links.base(self.settings.public_url, self.catalogue.room("link")),
            zone=hours.zone_of(self.settings.region),
        )

    @cached_property
    def dialogue(self) -> Parts:
        return Parts(
            store=self.store,
            photos=self.photos,
            texts=self.catalogue,
            desk=self.desk,
            language=self.settings.language,
            ussd_code=self.settings.ussd_code,
            areas=self.areas,
        )

    @cached_property
    def areas(self) -> Units:
        """The districts and sectors of the country that is served, where we have a list of them."""
        return Units.load(self.settings.templates, self.settings.region)

    @cached_property
    def ussd(self) -> Line:
        """Menu and session state; its own connection gives up sooner than `redis`."""
        return Line.open(self.dialogue, self.settings.queue_url)

    @cached_property
    def card(self) -> Card:
        """Labels and thresholds of the model in use, without loading it. Raises: ModelError."""
        return Card.read(self.settings.model)

    @cached_property
    def model(self) -> Model:
        """Loaded when first used, in the process that uses it. Raises: ModelError."""
        # ONNX Runtime, once imported, makes processes forked afterwards hang at their exit;
        # and a sender or a scheduler has no use for its memory.
        from inference.model import Model

        return Model.load(self.settings.model)

    @cached_property
    def photo_queue(self) -> Queue:
        return queues.queue(queues.PHOTOS, self.redis)

    def close(self) -> None:
        self.store.close()
        self.redis.close()


def _check_operator(settings: Settings) -> str:
    if not settings.operator_phone:
        return ""
    try:
        return msisdn.parse(settings.operator_phone, settings.region)
    except msisdn.BadNumber as error:
        raise SettingsError(f"setting LEAFLINE_OPERATOR_PHONE: {error}") from None


def _check_rows(settings: Settings) -> None:
    """Raises: AgronomyError when crops and diseases are not those of the model in use."""
    try:
        labels = Card.read(settings.model).labels
    except ModelError:
        return  # whoever needs the model says so; messages are sent without it
    agronomy.check(labels)
