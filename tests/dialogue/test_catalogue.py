"""Texts are proved at load, filled safely, and say so when they cannot be."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands.dialogue import messages
from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import Catalogue, CatalogueError
from gateway.people import lockout

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
DEFAULTS = {"ussd": "*384*123#", "service": "Leafline", "months": "12"}

PLACEHOLDERS = """
[case]
longest = "K7Q2M9X"
[place]
longest = "Kanyangese, Rwamagana RW"
over = "cut"
[disease]
names = "disease_"
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(TEMPLATES, **DEFAULTS)


def folder_with(tmp_path: Path, **languages: dict[str, str]) -> Path:
    folder = tmp_path / "messages"
    folder.mkdir()
    (folder / "placeholders.toml").write_text(PLACEHOLDERS, "utf-8")
    for code, texts in languages.items():
        header = f"X-Language-Name: Name of {code}\\nX-Menu-Number: {len(code) + ord(code[0])}\\n"
        lines = [f'msgid ""\nmsgstr "{header}"\n']
        lines += [f'#, fuzzy\nmsgid "{key}"\nmsgstr "{text}"\n' for key, text in texts.items()]
        (folder / f"{code}.po").write_text("\n".join(lines), "utf-8")
    return tmp_path


def test_the_shipped_texts_fit_and_are_counted_as_unreviewed(catalogue: Catalogue) -> None:
    assert set(catalogue.languages) == {"en", "fr", "rw", "sw"}
    for code, (unreviewed, total) in catalogue.review_state().items():
        assert 0 < unreviewed <= total, code


def test_every_language_has_every_key(catalogue: Catalogue) -> None:
    for key in catalogue.keys_of():
        assert all(catalogue.translated(key, code) for code in catalogue.languages), key


def test_filled_from_values_and_defaults(catalogue: Catalogue) -> None:
    text = catalogue.render("photo_received", "en", case="K7Q2M9X")
    assert "K7Q2M9X" in text
    assert "*384*123#" in text


def test_names_are_said_in_the_language_of_the_text(catalogue: Catalogue) -> None:
    text = catalogue.render(
        "officer_mismatch", "sw", case="K7Q2M9X", crop="maize", photo_crop="cassava"
    )
    assert "mahindi" in text
    assert "muhogo" in text


@pytest.mark.parametrize("language", ["xx", None, "", "EN"])
def test_an_unknown_language_is_english(catalogue: Catalogue, language: str | None) -> None:
    expected = catalogue.render("photo_received", "en", case="K7Q2M9X")
    assert catalogue.render("photo_received", language, case="K7Q2M9X") == expected


def test_a_missing_text_is_said_in_english(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, en={"hello": "Hello", "bye": "Bye"}, sw={"hello": "Habari"})
    catalogue = Catalogue.load(folder)
    assert catalogue.render("hello", "sw") == "Habari"
    assert catalogue.render("bye", "sw") == "Bye"


def test_long_values_are_cut_or_refused_as_declared(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, en={"at": "At {place}", "code": "Case {case}"})
    catalogue = Catalogue.load(folder)
    assert catalogue.render("at", "en", place="Somewhere very far away from here") == (
        "At Somewhere very far away"
    )
    with pytest.raises(CatalogueError, match="longer than 7"):
        catalogue.render("code", "en", case="K7Q2M9XX")


def test_values_are_folded_and_odd_letters_stay_visible(tmp_path: Path) -> None:
    catalogue = Catalogue.load(folder_with(tmp_path, en={"at": "At {place}"}))
    assert catalogue.render("at", "en", place="Ng’ororero – ሰላም") == "At Ng'ororero - ???"


@pytest.mark.parametrize("braces", ["{case}", "%s", "{0}", "{place}"])
def test_a_value_is_never_read_as_a_template(tmp_path: Path, braces: str) -> None:
    catalogue = Catalogue.load(folder_with(tmp_path, en={"at": "At {place}"}))
    assert catalogue.render("at", "en", place=braces) == f"At {braces}"


@pytest.mark.parametrize(
    ("languages", "words"),
    [
        ({"en": {"k": "x" * 161}}, ["k [en]", "161 septets", "limit 160"]),
        ({"en": {"k": "x" * 154 + "{case}"}}, ["161 septets"]),
        ({"en": {"ussd_k": "x" * 157}}, ["157 septets", "limit 156"]),
        ({"en": {"k": "x" * 158 + "€€"}}, ["162 septets"]),
        ({"en": {"k": "brûlure"}}, ["k [en]", "û (U+00FB)"]),
        ({"en": {"k": "{case}"}, "sw": {"k": "none"}}, ["k [sw]", "placeholders differ"]),
        ({"en": {"k": "{nobody}"}}, ["unknown placeholder {nobody}"]),
        ({"en": {"k": "a"}, "sw": {"z": "b"}}, ["z [sw]", "no such key in English"]),
        ({"sw": {"k": "a"}}, ["no en.po"]),
        (
            {"en": {"d": "{disease}" + "x" * 150, "disease_a": "short", "disease_b": "x" * 11}},
            ["161"],
        ),
    ],
)
def test_a_fault_names_key_language_and_reason(
    tmp_path: Path, languages: dict[str, dict[str, str]], words: list[str]
) -> None:
    with pytest.raises(CatalogueError) as caught:
        Catalogue.load(folder_with(tmp_path, **languages))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_default_longer_than_declared_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="longer than its longest"):
        Catalogue.load(folder_with(tmp_path, en={"k": "{case}"}), case="TOOLONGCODE")


def test_a_default_is_measured_in_septets(tmp_path: Path) -> None:
    """A bracket is one letter and two septets."""
    with pytest.raises(CatalogueError, match=r"set to '\[A\]B2C3'"):
        Catalogue.load(folder_with(tmp_path, en={"k": "{case}"}), case="[A]B2C3")


def test_english_is_proved_with_the_names_of_a_language_that_lacks_the_text(
    tmp_path: Path,
) -> None:
    english = {"k": "x" * 140 + " {disease}", "disease_rust": "rust"}
    folder = folder_with(tmp_path, en=english, sw={"disease_rust": "y" * 30})
    with pytest.raises(CatalogueError, match=r"k \[sw\]: 171 septets"):
        Catalogue.load(folder)


def test_a_locked_door_says_for_how_long(catalogue: Catalogue) -> None:
    minutes = int(lockout.CLOSED_FOR.total_seconds() // 60)
    for code in catalogue.languages:
        assert f" {minutes}" in catalogue.text("ussd_pin_locked", code)


def test_unreadable_folders_and_files_are_one_named_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        Catalogue.load(tmp_path / "nowhere")
    folder = folder_with(tmp_path, en={"k": "a"})
    (folder / "messages" / "en.po").write_bytes(b'msgid "\xff')
    with pytest.raises(CatalogueError, match="cannot be read"):
        Catalogue.load(folder)


def test_a_value_or_a_text_that_is_missing_is_named(catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueError, match=r"photo_received \[en\]: no value for \{case\}"):
        catalogue.render("photo_received", "en")
    with pytest.raises(CatalogueError, match="nothing_here"):
        catalogue.render("nothing_here", "sw")


def test_no_text_overclaims_or_names_a_product(catalogue: Catalogue) -> None:
    products = ("copper", "mancozeb", "chlorothalonil", "cuivre", "shaba", " ml", "gram")
    for key in catalogue.keys_of():
        for code in catalogue.languages:
            text = catalogue.text(key, code).lower()
            assert not any(product in text for product in products), (key, code)


def test_check_passes_on_the_shipped_texts_and_fails_on_a_long_one(tmp_path: Path) -> None:
    assert CliRunner().invoke(messages, ["check", str(TEMPLATES)]).exit_code == 0
    bad = folder_with(tmp_path, en={"k": "x" * 161})
    result = CliRunner().invoke(messages, ["check", str(bad)])
    assert result.exit_code == 1
    assert "161 septets" in result.output


def test_longest_is_what_the_proof_counts(catalogue: Catalogue) -> None:
    for key, code, length, limit in catalogue.lengths():
        assert gsm7.septets(catalogue.longest(key, code)) == length <= limit
