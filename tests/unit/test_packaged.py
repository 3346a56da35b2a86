"""Where the files are that come with the service."""

from pathlib import Path

import pytest

from service import packaged


@pytest.mark.parametrize(
    ("there", "found"),
    [
        pytest.param(["docs"], "docs", id="a checkout, an image"),
        pytest.param(["service/docs"], "service/docs", id="a wheel"),
        pytest.param(["docs", "service/docs"], "service/docs", id="a wheel, beside another package's folder"),
    ],
)
def test_a_folder_is_inside_the_package_or_beside_it(
    there: list[str], found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "service").mkdir()
    for each in there:
        (tmp_path / each).mkdir()
    monkeypatch.setattr(packaged, "__file__", str(tmp_path / "service" / "packaged.py"))
    assert packaged.packaged("docs") == tmp_path / found
