import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text()


def test_the_lock_names_no_host():
    assert "://" not in LOCK and "index-url" not in LOCK and "find-links" not in LOCK


def test_every_package_is_pinned_and_hashed():
    entries = re.split(r"\n(?=[a-zA-Z0-9])", LOCK.strip())
    assert len(entries) > 100
    for entry in entries:
        assert re.match(r"^[a-zA-Z0-9_.\[\],-]+==[^\s]+", entry), entry[:60]
        assert "--hash=sha256:" in entry, entry[:60]


def test_the_lock_holds_every_package_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", LOCK, re.M))
    for wanted in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name, _, version = wanted.partition("==")
        assert name in locked, f"{name}: run make lock"
        assert not version or locked[name] == version, f"{name}: run make lock"
