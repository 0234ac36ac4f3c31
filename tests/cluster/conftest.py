"""The test range for tests. They run only when this folder is named: the plain ``pytest`` needs neither root nor Go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .control_plane import ControlPlane, bare_control_plane
from .daemons import RangeError
from .programs import MissingProgramsError
from .range import Range, open_range

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave everything here out unless it was asked for by name."""
    asked = [(config.invocation_params.dir / word.partition("::")[0]).resolve() for word in config.args]
    named = any(path.is_relative_to(HERE) for path in asked)
    return None if named or not collection_path.is_relative_to(HERE) else True


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A bare control plane of its own: etcd and API server, no controllers, no nodes; needs no root."""
    try:
        started = bare_control_plane(tmp_path_factory.mktemp("plane"))
    except MissingProgramsError as error:
        pytest.skip(str(error))
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Range]:
    """The range, started if it does not run; one that ran before stays afterwards, one started here is taken down."""
    try:
        opened = open_range()
    except MissingProgramsError as error:
        pytest.skip(str(error))
    except RangeError as error:
        pytest.fail(str(error))
    ran = opened.healthy()
    if not ran:
        opened.start()
    try:
        yield opened
    finally:
        if not ran:
            opened.stop()
