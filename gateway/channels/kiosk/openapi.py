"""The kiosk's API described for programs (OpenAPI 3.1), served at `/api/openapi.json`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from gateway.agronomy import CROPS, LABELS
from gateway.agronomy.table import TOLD
from gateway.cases import life
from gateway.cases.intake import MAX_PHOTOS, NOT_TAKEN, TAKEN
from gateway.channels.kiosk import form
from inference.picture import MEDIA, NAMES

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable word for programs"},
        "detail": {"type": "string", "description": "one sentence for a person"},
    },
}
_SMS = {
    "type": "boolean",
    "description": "false: the farmer said STOP and gets no SMS; read the answer out to her",
}
_CASE = {
    "type": "object",
    "properties": {
        "case": {"type": "string", "pattern": "^[2-9CDFHJKMNPQRTVWX]{7}$"},
        "state": {"enum": list(life.NEXT)},
        "crop": {"enum": [*CROPS, None]},
        "place": {"type": ["string", "null"]},
        "language": {"type": "string"},
        "label": {"enum": [*LABELS, None]},
        "verdict": {"type": ["string", "null"]},
        "photos": {"type": "integer"},
        "quality": {"type": "array", "items": {"type": "string"}},
        "phone_last4": {"type": "string"},
        "sms": _SMS,
        "message": {"type": ["string", "null"], "description": "what the farmer was sent last"},
        "message_state": {"type": ["string", "null"]},
        "created_at": {"type": "string", "format": "date-time"},
        "updated_at": {"type": "string", "format": "date-time"},
    },
}
_ACCEPTED = {
    "type": "object",
    "required": ["case", "phone_last4", "duplicate", "sms"],
    "properties": {
        "case": {"type": "string"},
        "phone_last4": {"type": "string", "description": "to be read back to the farmer"},
        "duplicate": {"type": "boolean", "description": "this upload was here before"},
        "correction": {
            "enum": [TAKEN, NOT_TAKEN, None],
            "description": "whether what a duplicate said otherwise than before was taken: it is "
            "until the case is judged; another phone number never is",
        },
        "sms": _SMS,
    },
}


def document(languages: tuple[str, ...], predict_for: str = "open") -> dict[str, Any]:
    """`predict_for`: as in the settings; what is switched off is not described."""
    paths = {
        "/api/photos": {"post": _upload(languages)},
        "/api/cases": {"get": _list()},
        "/api/cases/{code}": {"get": _show()},
    }
    if predict_for != "off":
        for_kiosks: dict[str, Any] = {"security": [{"kiosk": []}]} if predict_for == "kiosk" else {}
        paths["/api/predict"] = {"post": _predict() | for_kiosks}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Leafline kiosk API", "version": "1"},
        "components": {
            "securitySchemes": {"kiosk": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": _PROBLEM, "Case": _CASE, "Accepted": _ACCEPTED},
        },
        "paths": paths,
    }


def _upload(languages: tuple[str, ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "photo": {"type": "string", "format": "binary", "description": NAMES},
        "phone": {
            "type": "string",
            "description": "the farmer's, written in any way, of a country to which messages go "
            "(else `country_not_served`); with `case` its last four digits are enough, and open "
            "a case that wants a photo to every kiosk",
        },
        "crop": {"type": "string", "description": f"one of {', '.join(CROPS)}"},
        "name": {
            "type": "string",
            "description": "who it is, where several people share the phone; each has a language "
            "and a consent of their own",
        },
        "consent": {
            "enum": [form.AGAIN],
            "description": "who had withdrawn their consent (`consent_withdrawn`) was asked again "
            "in the words that the refusal holds, and said yes",
        },
        "language": {"enum": list(languages)},
        "place": {"type": "string", "description": "village, district"},
        "case": {"type": "string", "description": "adds a photo to this open case"},
        "client_id": {"type": "string", "description": "the same for every try of one upload"},
        "following": {
            "type": "integer",
            "minimum": 0,
            "maximum": MAX_PHOTOS - 1,
            "description": "photos of the same plant still to come with the code of this case; "
            "they are judged together",
        },
    } | {name: {"enum": list(values)} for name, values in TOLD.items()}
    return {
        "operationId": "uploadPhoto",
        "summary": "Hand in a photo of a leaf; phone and crop may be left out with `case`",
        "security": [{"kiosk": []}],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "required": ["photo"], "properties": fields},
                    "encoding": {"photo": {"contentType": ", ".join(MEDIA)}},
                }
            },
        },
        "responses": {"202": _json("Accepted", "The case is on disk")}
        | _refusals(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    }


def _list() -> dict[str, Any]:
    cases = {"type": "array", "items": {"$ref": "#/components/schemas/Case"}}
    schema = {"type": "object", "required": ["cases"], "properties": {"cases": cases}}
    return {
        "operationId": "listCases",
        "summary": "Cases of this kiosk to which something happened in the last 24 hours",
        "security": [{"kiosk": []}],
        "responses": {
            "200": {
                "description": "Newest case first; with an ETag for If-None-Match",
                "content": {"application/json": {"schema": schema}},
            },
            "304": {"description": "Nothing changed since If-None-Match"},
        }
        | _refusals(401, 403, 503),
    }


def _show() -> dict[str, Any]:
    return {
        "operationId": "showCase",
        "summary": "State and result of a case of this kiosk",
        "security": [{"kiosk": []}],
        "parameters": [
            {"name": "code", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "responses": {"200": _json("Case", "The case as it stands")}
        | _refusals(401, 403, 404, 503),
    }


def _predict() -> dict[str, Any]:
    picture = {"schema": {"type": "string", "format": "binary"}}
    parts = {"schema": {"type": "object", "properties": {"photo": picture["schema"]}}}
    return {
        "operationId": "predict",
        "summary": "What the model says of one photo; nothing is kept",
        "parameters": [
            {
                "name": "labels",
                "in": "query",
                "schema": {"enum": ["all"]},
                "description": "all: `nearest` too, what beside the labels the photo is nearest to",
            }
        ],
        "requestBody": {"content": {"multipart/form-data": parts} | dict.fromkeys(MEDIA, picture)},
        "responses": {
            "200": {
                "description": "label, confidence, top3, latency_ms, rationale, verdict",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
        }
        | _refusals(400, 401, 403, 408, 413, 415, 422, 503),
    }


def _json(schema: str, text: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": text, "content": {"application/json": {"schema": reference}}}


def _refusals(*statuses: int) -> dict[str, Any]:
    """Every other answer that there is, so that whoever tries the API knows a fault from a word."""
    reference = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": reference}}
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }
