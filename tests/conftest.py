"""What several test files share: a stylist's home with the starter catalog, built once."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def installed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A STYLIST_HOME with the starter catalog in it. Tests only read it or add looks to it."""
    from catalog.index import Catalog

    home = tmp_path_factory.mktemp("home")
    Catalog(home).close()
    return home


@pytest.fixture(scope="session")
def studio(installed_home: Path):
    """A real Studio over the starter catalog and the committed base."""
    from tools.studio import Studio

    return Studio(installed_home)


@pytest.fixture
def room(installed_home: Path, tmp_path: Path):
    """A studio of its own over the starter catalog; its engine draws coloured cards at once."""
    from fakes import QuickEngine

    from tools.studio import Studio

    (tmp_path / "catalog").symlink_to(installed_home / "catalog")
    studio = Studio(tmp_path)
    studio._engine = QuickEngine()  # type: ignore[assignment]
    return studio


@pytest.fixture
def ask(tmp_path: Path):
    """Asks a stylist that draws nothing, in one thread: message → answer."""
    from fakes import FakeEngineStudio

    from agent.stylist import Stylist

    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    return lambda message: stylist.ask(message, "t1", render=False)
