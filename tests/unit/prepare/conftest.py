from pathlib import Path

import pytest

from tests.unit.gitrepo import Repo, create


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return create(tmp_path / "shop")
