"""The tests notice what they are there for: each defect put in on purpose makes one of them fail."""

import pytest

from tests.support.defects import DEFECTS, copied, survivors


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_defect_put_in_on_purpose_survives() -> None:
    assert survivors(DEFECTS) == []


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_still_has_its_place_in_the_code(name: str) -> None:
    with copied(DEFECTS[name].edits):
        pass
