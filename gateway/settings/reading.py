"""Where the values of settings are looked for, and how a wrong one is named."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from dotenv import dotenv_values
from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.settings.errors import SettingsError
from gateway.settings.kinds import Lines, hidden, marked, password_in, revealed

FROM_FILE = "_FILE"
"""What a secret setting's name ends with where a file holds the value, as Docker secrets do."""
LONGEST_FILE = 64 * 1024


class FromFiles(PydanticBaseSettingsSource):
    """`AT_API_KEY_FILE=/run/secrets/at` instead of `AT_API_KEY=...`, for each secret setting."""

    def __init__(self, section: type[Section]) -> None:
        super().__init__(section)
        self._section = section

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = self._section.variable(field_name)
        secret = hidden(field)
        given: Mapping[str, str] = os.environ
        path = given.get(variable + FROM_FILE, "")
        if secret and not path and not given.get(variable):
            given = self._lines
            path = given.get(variable + FROM_FILE, "")
        if not secret or not path:
            return None, field_name, False
        if given.get(variable):
            raise SettingsError(f"set {variable} or {variable}{FROM_FILE}, not both")
        try:
            with open(path, encoding="utf-8") as file:
                value = file.read(LONGEST_FILE)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text"
            raise SettingsError(
                f"setting {variable}{FROM_FILE}: cannot read {path}: {reason}"
            ) from None
        if not value.strip():
            raise SettingsError(f"setting {variable}{FROM_FILE}: {path} is empty")
        return value if marked(field, Lines) else value.strip(), field_name, False

    @cached_property
    def _lines(self) -> Mapping[str, str]:
        """Those of `.env`."""
        kept = dotenv_values(str(self.config["env_file"]), interpolate=False)
        return {name: value or "" for name, value in kept.items()}

    def __call__(self) -> dict[str, Any]:
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, _ = self.get_field_value(field, name)
            if value is not None:
                # Under the same name as in the environment, so that no other source wins over it.
                found[_known_as(field) or name] = value
        return found


def _known_as(field: FieldInfo) -> str:
    """Its name without our prefix, if it has one."""
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else ""


class Section(BaseSettings):
    """Environment variables and an optional `.env` file; the environment wins.

    A provider's own settings are a subclass with a prefix of their own, `LEAFLINE_NAME_`.
    """

    model_config = SettingsConfigDict(
        env_prefix="LEAFLINE_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # A file goes before a variable, which may be there and empty; both at once are refused.
        return init_settings, FromFiles(cls), env_settings, dotenv_settings

    @classmethod
    def read(cls, **overrides: object) -> Self:
        """Read the environment and `.env`.

        Raises:
            SettingsError: a value is wrong; the text names the variable and what is expected.
        """
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError(
                "; ".join(cls._explain(e["loc"], e["msg"]) for e in error.errors())
            ) from None

    @classmethod
    def variable(cls, field: str) -> str:
        """The environment variable of a setting."""
        return _known_as(cls.model_fields[field]) or cls._prefixed(field)

    @classmethod
    def variables(cls) -> set[str]:
        """Names under which the settings with our prefix are given."""
        return {cls._prefixed(name) for name in cls.model_fields}

    @classmethod
    def _prefixed(cls, name: str) -> str:
        return f"{cls.model_config['env_prefix']}{name}".upper()

    @classmethod
    def _explain(cls, location: tuple[int | str, ...], message: str) -> str:
        name = str(location[0]) if location else "?"
        variable = name if name.isupper() else cls._prefixed(name)
        return f"setting {variable}: {message.removeprefix('Value error, ')}"

    def secrets(self) -> list[str]:
        """Every value that must not be seen in a log; of an address its password."""
        values = [getattr(self, name) for name in type(self).model_fields]
        texts = [text for value in values for text in revealed(value)]
        urls = [value for value in (*values, *texts) if isinstance(value, str) and "://" in value]
        return [*texts, *map(password_in, urls)]
