"""The API as it is described, tried by a machine that has read the description."""

from __future__ import annotations

from collections import Counter

import hypothesis
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from sqlalchemy import update

from gateway.agronomy import CROPS
from gateway.context import Context
from gateway.people import kiosks
from gateway.store.models import Case
from rig import desk, things

load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error", "status_code_conformance", "content_type_conformance",
        "response_headers_conformance", "response_schema_conformance",
        "allow_header_conformance", "unsupported_method", "ignored_auth",
    ]
)  # fmt: skip
EXAMPLES = hypothesis.settings(
    max_examples=25,
    deadline=None,
    derandomize=True,  # a fault that chance alone finds belongs to nobody's change
    database=None,
    suppress_health_check=list(HealthCheck),
)
GOOD = st.fixed_dictionaries(
    {},
    optional={
        "photo": st.integers(0, 5).map(lambda seed: desk.leaf("maize_rust", seed)),
        "phone": st.sampled_from(("0788 000 001", "+254712345678", "+882 16 1234567", "0001")),
        "crop": st.sampled_from(CROPS),
        "client_id": st.sampled_from(("a", "b")),
    },
)
"""What a machine does not hit upon by itself."""


@pytest.mark.parametrize(
    "operation",
    ["POST /api/photos", "GET /api/cases", "GET /api/cases/{code}", "POST /api/predict"],
)
def test_each_answer_is_one_that_is_described(app: Flask, operation: str) -> None:
    """In words that fit the description, and in words that do not; never a 5xx but `busy`."""
    context: Context = app.extensions["leafline"]
    with context.store.transaction() as session:
        kiosk, token = kiosks.add(session, "Nyagasambu", things.AREA)
    code = desk.case(context)
    with context.store.transaction() as session:
        session.execute(update(Case).values(kiosk_id=kiosk.id))
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    method, path = operation.split()
    seen: Counter[int] = Counter()

    for mode in GenerationMode:

        @EXAMPLES
        @given(case=schema[path][method].as_strategy(generation_mode=mode), good=GOOD)
        def tried(case: schemathesis.Case, good: dict[str, object]) -> None:
            if isinstance(case.body, dict):
                case.body |= good
            if "crop" in good and "code" in case.path_parameters:
                case.path_parameters["code"] = code
            headers = {"Authorization": f"Bearer {token}"}
            answer = case.call_and_validate(headers=headers, checks=CHECKED)
            seen[answer.status_code] += 1

        tried()
    assert min(seen) < 300, f"nothing that the door takes was tried: {seen}"
    assert max(seen) < 500, seen
