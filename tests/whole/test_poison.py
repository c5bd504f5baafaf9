"""A photo that kills each worker that looks at it, in a real house with a single worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from rig.house import House, house_in
from rig.things import photo
from simulator.phone import Phone

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]

DEADLY = (333, 250)
"""Size of the picture at which the decoder of this house fails as C code does: without a trace."""
BROKEN_DECODER = f"""
import os
if os.environ.get("LEAFLINE_PROCESS", "").startswith("worker"):
    import io, signal
    from PIL import Image
    from inference.model import Model
    judge = Model.judge
    def deadly(self, data, *more, **named):
        if Image.open(io.BytesIO(data)).size == {DEADLY}:
            os.kill(os.getpid(), signal.SIGSEGV)
        return judge(self, data, *more, **named)
    Model.judge = deadly
"""
SICK, WELL, OPERATOR = "+250788000001", "+25078800000{}", "+250788000090"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    patch = tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(BROKEN_DECODER)
    path = os.pathsep.join([str(patch), os.environ.get("PYTHONPATH", "")])
    with house_in(tmp_path, PYTHONPATH=path, LEAFLINE_OPERATOR_PHONE=OPERATOR) as house:
        yield house


def upload(house: House, token: str, phone: str, size: tuple[int, int], shade: int) -> str:
    answer = requests.post(
        f"{house.url}/api/photos",
        headers={"Authorization": f"Bearer {token}"},
        data={"phone": phone, "crop": "maize", "language": "en"},
        files={"photo": ("leaf.jpg", photo(shade, size), "image/jpeg")},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["case"])


def test_it_blocks_nobody_and_a_person_answers(house: House) -> None:
    token = house.command("kiosk", "add", "K", "--area", "Rwamagana").stdout.split()[-1]
    bad = upload(house, token, SICK, DEADLY, 100)
    good = {
        WELL.format(n): upload(house, token, WELL.format(n), (320, 240), n) for n in range(2, 6)
    }
    for number, code in good.items():
        Phone(house.simulator_url, number).wait_for_sms(code, timeout=120)
    assert "killed by SIGSEGV" in house.output
    Phone(house.simulator_url, SICK).wait_for_sms(bad, timeout=300)
    Phone(house.simulator_url, OPERATOR).wait_for_sms(bad, timeout=30)
    assert house.output.count("killed by SIGSEGV") == 3
    assert "photo_given_up" in house.output
