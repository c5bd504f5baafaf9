from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.people import msisdn

RWANDAN = "+250788000001"


@pytest.mark.parametrize(
    "raw",
    [
        "0788000001", "788000001", "+250788000001", "250788000001", "00250788000001",
        "078-800 0001", "(078) 8000 001", "+250 788 000 001", " 250788000001", " 0788000001 ",
        "\t0788000001\n", "٠٧٨٨٠٠٠٠٠١", "＋２５０７８８０００００１", "078.800.0001",
        "\u200e+250788000001",
    ],
)  # fmt: skip
def test_every_way_of_writing_a_number_is_one_number(raw: str) -> None:
    assert msisdn.parse(raw, "RW") == RWANDAN


@pytest.mark.parametrize(
    ("raw", "region", "number"),
    [
        ("0712345678", "KE", "+254712345678"),
        ("0112345678", "KE", "+254112345678"),
        ("0621234567", "TZ", "+255621234567"),
        ("0701234567", "UG", "+256701234567"),
        ("08021234567", "NG", "+2348021234567"),
        ("+254712345678", "RW", "+254712345678"),
    ],
)
def test_national_numbers_are_read_in_their_country(raw: str, region: str, number: str) -> None:
    assert msisdn.parse(raw, region) == number


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "+", "0", "078800000", "07880000012", "abc", "0788OOOOO1", "+2547", "123",
        "0788000001x3", "tel:0788000001", "+250252588888", "0" * 500, "+250788000001;0788000002",
        "078800000\x001",
    ],
)  # fmt: skip
def test_what_cannot_receive_an_sms_is_refused(raw: str) -> None:
    with pytest.raises(msisdn.BadNumber):
        msisdn.parse(raw, "RW")


def test_the_network_may_name_a_number_that_no_table_knows() -> None:
    assert msisdn.from_network("+250700000001", "RW") == "+250700000001"
    assert msisdn.from_network(" 250788000001", "RW") == RWANDAN
    with pytest.raises(msisdn.BadNumber):
        msisdn.from_network("Leafline", "RW")


@pytest.mark.parametrize(
    ("raw", "region", "number"),
    [
        ("+250711234567", "RW", "+250711234567"),
        ("0711234567", "RW", "+250711234567"),
        ("711 234 567", "RW", "+250711234567"),
        ("00250 71-123-4567", "KE", "+250711234567"),
        ("0912345678", "KE", "+254912345678"),
        ("\u2068+250 711 234 567\u2069", "RW", "+250711234567"),
    ],
)
def test_a_range_that_no_table_knows_is_read_everywhere(raw: str, region: str, number: str) -> None:
    assert msisdn.parse(raw, region) == msisdn.from_network(raw, region) == number


@pytest.mark.parametrize(
    "raw",
    [
        "+250788000001/TYPE=PLMN", "250788000001/TYPE=PLMN@mms.mnc010.mcc635.3gppnetwork.org",
        "tel:+250788000001", "whatsapp:+250788000001", "Amina <+250788000001>", "<250788000001>",
        "0788000001@mms.example.rw", "sip:+250788000001;user=phone", "+250-788-000-001/TYPE=PLMN",
    ],
)  # fmt: skip
def test_what_gateways_put_around_a_number_is_taken_off(raw: str) -> None:
    assert msisdn.from_network(raw, "RW") == RWANDAN


def test_a_masked_number_cannot_be_called() -> None:
    assert msisdn.mask(RWANDAN) == "+250*****0001"
    assert msisdn.mask("12345") == "****"


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(raw: str) -> None:
    try:
        number = msisdn.parse(raw, "RW")
    except msisdn.BadNumber:
        return
    assert msisdn.E164.fullmatch(number)
    assert msisdn.parse(number, "KE") == number
