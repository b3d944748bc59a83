"""Personal data: what is found, what is not, and what becomes of it."""

import pytest
from click.testing import CliRunner

from callbacks.guard import Guarding
from callbacks.personal import BLACK, MENDING, PersonalClass, PersonalUnavailable, mask, personal
from server.__main__ import main
from server.bootstrap import guarding
from server.settings import Settings

ALL: list[PersonalClass] = ["email", "phone", "credit_card", "iban", "ip", "us_ssn"]
FOUND: list[tuple[PersonalClass, str]] = [
    ("email", "jo.k+tag@mail.example.com"),
    ("phone", "+49 170 1234567"),
    ("phone", "(212) 555-0123"),
    ("credit_card", "4111 1111 1111 1111"),
    ("credit_card", "4111-1111-1111-1111"),
    ("credit_card", "378282246310005"),
    ("credit_card", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB29NWBK60161331926819"),
    ("ip", "10.0.0.1"),
    ("ip", "2001:db8::8a2e:370:7334"),
    ("us_ssn", "536-90-4399"),
]
NOTHING = [
    "In 1874 he paid 12,345,678.90 crowns for 45 boats of 12.5 m at 12:30:45 on 2024-05-06 [2.3].",
    "Order 4111 1111 1111 1112, account DE89 3704 0044 0532 0130 01, part 000-12-3456, version 1.2.3 and 999.1.2.3.",
    "The ratio is 4:3, the time 12:30, the pages 100-200, and the table 1 2 3 4 5 6 7 8.",
]


def withheld(text: str, classes: list[PersonalClass]) -> str:
    guard = Guarding(personal=personal(classes)).guard([text])
    return "".join(map(guard.feed, text)) + guard.flush()


@pytest.mark.parametrize(("kind", "data"), FOUND)
def test_personal_data_is_withheld_with_its_class(kind: PersonalClass, data: str) -> None:
    told = f"[{kind.replace('_', ' ')} withheld]"
    assert withheld(f"It is {data}, as said.", [kind]) == f"It is {told}, as said."
    assert withheld(f"It is {data}.", ALL) == f"It is {told}."
    assert withheld(f"It is {data}", [kind]) == f"It is {told}"


@pytest.mark.parametrize("text", NOTHING)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert withheld(text, ALL) == text


def test_only_the_classes_that_are_named_are_looked_for() -> None:
    assert withheld("jo@example.com has 10.0.0.1", ["ip"]) == "jo@example.com has [ip withheld]"
    assert personal([]) is None


def test_a_number_among_many_others_is_found_wherever_it_stands() -> None:
    for before in range(0, 130, 7):
        text = f"{'12 ' * before}4111 1111 1111 1111 {'34 ' * 40}"
        assert "1111" not in withheld(text, ["credit_card"])


def test_what_is_blacked_out_keeps_its_length() -> None:
    find = personal(ALL)
    assert find is not None
    text = "Write to jo@example.com or +49 170 1234567."
    assert mask(find)(text) == f"Write to {BLACK * 14} or {BLACK * 15}."


def test_a_region_tells_whose_numbers_are_known_without_a_prefix() -> None:
    find = personal(["phone"], ["DE"])
    assert find is not None
    assert [finding.kind for finding in find("Call 030 901820 today.")] == ["phone"]
    us = personal(["phone"])
    assert us is not None
    assert not us("Call 030 901820 today.")


def test_an_unknown_region_is_told() -> None:
    with pytest.raises(PersonalUnavailable, match="XX"):
        personal(["phone"], ["XX"])


def test_a_missing_package_is_told_with_what_mends_it() -> None:
    with pytest.raises(PersonalUnavailable, match="missing") as told:
        personal(["phone"], library="no_such_package")
    assert MENDING in str(told.value)


def test_settings_name_the_classes() -> None:
    settings = Settings(_env_file=None, pii="email, ip", pii_regions="DE,FR")
    assert settings.pii == ["email", "ip"]
    assert settings.pii_regions == ["DE", "FR"]
    assert guarding(settings).personal is not None
    assert guarding(Settings(_env_file=None)).personal is None
    with pytest.raises(ValueError, match="pii"):
        Settings(_env_file=None, pii="shoe_size")


def test_the_keys_of_the_environment_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-environment")
    assert "a-key-of-the-environment" in guarding(Settings(_env_file=None)).secrets


def test_doctor_tells_what_is_withheld_and_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("GROUNDSWELL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GROUNDSWELL_PII", "email,phone")
    monkeypatch.setenv("GROUNDSWELL_PII_REGIONS", "XX")
    monkeypatch.setenv("GROUNDSWELL_SAFETY_MODEL", "chat")
    told = CliRunner().invoke(main, ["doctor"]).output
    assert "mend personal data: no telephone numbers are known of XX" in told
    assert "mend safety check: the embedded model cannot check safety" in told
    monkeypatch.setenv("GROUNDSWELL_PII_REGIONS", "SE")
    monkeypatch.delenv("GROUNDSWELL_SAFETY_MODEL")
    told = CliRunner().invoke(main, ["doctor"]).output
    assert "ok   personal data: withheld: email, phone" in told
    assert "ok   safety check: no model is asked" in told
