"""What kind of text an officer wrote: the texts alone, without a house around them."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.agronomy import products
from gateway.cases import codes
from gateway.dialogue import promises
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.sms import chatter
from gateway.dialogue.sms.chatter import Kind, OwnTexts
from gateway.dialogue.sms.words import Vocabulary
from gateway.settings import Settings

CODE, OTHER = codes.new(), codes.new()


@pytest.fixture(scope="module")
def texts() -> Catalogue:
    templates = Settings.model_fields["templates"].default
    return Catalogue.load(templates, ussd="*384*1#", service="Leafline", months="12")


@pytest.fixture(scope="module")
def words(texts: Catalogue) -> Vocabulary:
    return Vocabulary.of(texts)


@pytest.fixture(scope="module")
def ours(texts: Catalogue) -> OwnTexts:
    return OwnTexts.of(texts)


KINDS = {
    Kind.SMALL: (
        "Thank u so much!!", "ok sir", "noted with thanks", "sawa sawa", "d'accord", "c'est fait",
        "Received with thanks, God bless", "Hello Leafline", "happy new year", "12345", "❤️",
        "murakoze cyane nyakubahwa", "I have answered already",
    ),
    Kind.QUESTION: (
        "qui est-ce", "ni iki?", "unatoka wapi?", "What do you want me to do", "where is the farm",
        "I don't know", "will check", "Nzabikora ejo", "je le ferai demain", "Nimeipata, asante",
        "I am on leave until Monday", "Send a photo of the roots",
    ),
    Kind.PHOTO: (
        "send me a clearer picture", "je veux une photo plus claire", "photo is not clear",
        "picture is blurry, send again", "ifoto ntigaragara", "picha haionekani vizuri",
    ),
    Kind.PASS: (
        "give it to someone else", "I can't take this one", "transférez à un collègue",
        "this is not my sector", "wrong person", "kabidhi mwenzangu",
    ),
    Kind.COMMAND: (
        "Please stop", "stop sending me messages", "HELP me", "aide-moi", "lugha kiswahili", "next",
        "more info please", "results of my case",
    ),
    Kind.REACTION: (
        "Disliked an image", "Removed a heart from “abc”", "Réagi ❤️ à « Dossier »",
        "Alipenda “Kesi ile”", "Laughed at “Which case?”",
    ),
    Kind.AUTOMATIC: (
        "Out of office: back on Monday", "I'm in a meeting, call you later", "Sent from my iPhone",
        "Je suis en réunion, je vous rappelle", "Ndi mu nama ndaguhamagara nyuma",
        "Votre message a bien été reçu, je vous répondrai dès que possible",
    ),
    Kind.PROMISE: ("call me", "Appelez-moi", "nipigie", "mpamagara", "I'll come by on Tuesday"),
    Kind.SHORT: ("Uproot", "arracher", "Wait"),
    Kind.UNDO: ("undo it please", "annuler svp", "Tengua"),
    Kind.ADVICE: (
        "Do not spray or uproot yet", "Stop spraying and bury the leaves", "choma majani mabaya",
        "When dry, bury the worst leaves", "Hi bury the leaves", "no spray now",
        "Photo looks like it. Bury worst leaves when dry.", "on the lower leaves only",
        "Look at 10 plants each week", "Mukure ibibabi birwaye mubitabe", "Yes uproot it all",
        "I have seen it: uproot the sick ones and burn them", "pass water between the rows",
        "arrachez les plantes malades", "back off from the field for a week",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, listed in KINDS.items() for text in listed]
)
def test_the_kind_of_a_text(words: Vocabulary, ours: OwnTexts, kind: Kind, text: str) -> None:
    assert chatter.kind(text, words, ours) is kind


@pytest.mark.parametrize("language", ["en", "fr", "rw", "sw"])
def test_every_message_to_an_officer_is_known_again(
    texts: Catalogue, words: Vocabulary, ours: OwnTexts, language: str
) -> None:
    known = (Kind.OURS, Kind.AUTOMATIC)
    for key in texts.keys_of("officer_"):
        if key.startswith(("officer_words", "officer_safety", "officer_off", "officer_on")):
            continue
        text = texts.longest(key, language)
        assert chatter.kind(text, words, ours) in known, text


@pytest.mark.parametrize(
    "text",
    ["SMS {code} Bury it now", "“{code} Bury it now”", "Case {code} ({other}) Bury it now",
     "Answer: {code} “Bury it now”", "{code} {code} Bury it now", "Jibu {code}: Bury it now",
     "REPONDRE {code} - Bury it now"],
)  # fmt: skip
def test_words_of_our_instructions_are_taken_off(text: str) -> None:
    typed = text.format(code=CODE, other=OTHER)
    assert chatter.parted(typed) == (CODE, "Bury it now")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("OFF until 5 Dec", date(2026, 12, 5)),
        ("OFF jusqu'au 3 janvier", date(2027, 1, 3)),
        ("off till 5/1", date(2027, 1, 5)),
        ("OFF hadi 2026-12-24", date(2026, 12, 24)),
        ("OFF kugeza 31 Ukuboza", date(2026, 12, 31)),
        ("OFF until 31 Feb", None),
    ],
)
def test_a_day_of_leave(text: str, day: date | None) -> None:
    assert promises.until(text, date(2026, 11, 28)) == day


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Spray mancozeb 2g per litre", ("mancozeb", "2g")),
        ("Spray mankozeb", ("mankozeb",)),
        ("Put macnozeb on it", ("macnozeb",)),
        ("weka vijiko 2 kwa lita 15 za maji", ("vijiko 2", "lita 15")),
        ("koresha garama ebyiri muri litiro", ("garama ebyiri",)),
        ("Pulvérisez du Ridomil", ("ridomil",)),
        ("2,5g/l", ("2,5g/l",)),
        ("Good score on your field", ()),
        ("Look at 10 plants a week", ()),
        ("il y a de l'eau partout", ()),
        ("Give 2 kg of beans to the child", ()),
        ("Do not spray", ()),
    ],
)
def test_products_and_doses(text: str, named: tuple[str, ...]) -> None:
    assert products.found(text) == named
