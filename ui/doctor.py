"""`stylist doctor`: what this machine has and lacks. Each failure says its fix."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import StylistError
from catalog.sd15 import MODELS
from ui.settings import Settings

PACKAGES = ("numpy", "skia", "torch", "diffusers", "peft", "chromadb", "langchain", "gradio")
ROOM = 1 << 30
"""Bytes that should be free where the looks are kept."""
SETUP = "run `make setup` in the checkout"


@dataclass(frozen=True)
class Check:
    """One finding. ``fix`` is empty when nothing needs fixing."""

    name: str
    ok: bool
    found: str
    fix: str = ""


def examine(settings: Settings) -> Iterator[Check]:
    """Every check in turn; one that breaks is a failed check, never an exception."""
    checks: tuple[tuple[str, Callable[[Settings], Check]], ...] = (
        ("python", _python),
        ("packages", _packages),
        ("home", _home),
        ("disk", _disk),
        ("croquis base", _croquis),
        ("pose model", _pose_model),
        ("catalog", _catalog),
        ("search", _search),
        ("planner", _planner),
        ("sd15 base", _sd15),
    )
    for name, check in checks:
        try:
            yield check(settings)
        except StylistError as error:
            yield Check(name, False, error.message, error.hint or SETUP)
        except Exception as error:  # whatever it is, the doctor reports it and goes on
            yield Check(name, False, f"{type(error).__name__}: {error}", SETUP)


def _python(settings: Settings) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    fix = "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer"
    return Check("python", not fix, version, fix)


def _packages(settings: Settings) -> Check:
    broken = {}
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except Exception as error:
            broken[name] = str(error)
    if "skia" in broken and ("libGL" in broken["skia"] or "libEGL" in broken["skia"]):
        found = "skia does not find the system's graphics library"
        return Check("packages", False, found, "apt-get install libegl1 libgl1")
    if broken:
        found = "; ".join(f"{name}: {error}" for name, error in broken.items())
        return Check("packages", False, found, SETUP)
    return Check("packages", True, f"{', '.join(PACKAGES)} import")


def _home(settings: Settings) -> Check:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        fix = "make that folder writable, or set STYLIST_HOME to another"
        return Check("home", False, f"{settings.home}: {error.strerror}", fix)
    return Check("home", True, f"{settings.home} can be written")


def _disk(settings: Settings) -> Check:
    folder = settings.home
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    fix = "" if free >= ROOM else "free some space, or set STYLIST_HOME to another disk"
    return Check("disk", not fix, f"{free / 2**30:.1f} GB free", fix)


def _croquis(settings: Settings) -> Check:
    from catalog.base import base_status

    status = base_status("croquis")
    restore = "restore them: git checkout -- catalog/croquis/weights"
    if not status["present"]:
        return Check("croquis base", False, "the weights are not here", restore)
    if status["damaged"]:
        found = f"missing or changed: {', '.join(status['damaged'])}"
        return Check("croquis base", False, found, restore)
    size = status["bytes"] / 1e6
    return Check("croquis base", True, f"{size:.0f} MB, hash {status['sha256'][:12]} as it should")


def _pose_model(settings: Settings) -> Check:
    from tools.pose_files import FILES, folder, missing

    lacking = missing()
    if lacking:
        found = f"missing or changed: {', '.join(lacking)}; poses cannot be read from photos"
        return Check("pose model", False, found, SETUP)
    importlib.import_module("ai_edge_litert.interpreter")
    return Check("pose model", True, f"{len(FILES)} files in {folder()}, hashes as they should be")


def _catalog(settings: Settings) -> Check:
    from catalog.index import Catalog

    catalog = Catalog(settings.home)
    cards, problems = catalog.all(), catalog.problems
    bare = [card.id for card in cards if not card.lora_sha256]
    catalog.close()
    if problems:
        found = "; ".join(p.message for p in problems.values())
        return Check("catalog", False, found, "stylist catalog rebuild")
    if bare:
        found = f"{len(bare)} of {len(cards)} garments have no LoRA yet: {', '.join(bare[:3])} …"
        return Check("catalog", False, found, f"stylist catalog train {bare[0]}")
    return Check(
        "catalog", bool(cards), f"{len(cards)} garments", "" if cards else "stylist catalog rebuild"
    )


def _search(settings: Settings) -> Check:
    from catalog.index import Catalog

    catalog = Catalog(settings.home, starter=False)
    found = catalog.find("a warm coat", limit=1)
    catalog.close()
    first = f"“a warm coat” finds {found[0][0].id}" if found else "nothing is found"
    return Check("search", bool(found), first, "" if found else "stylist catalog rebuild")


def _planner(settings: Settings) -> Check:
    if settings.llm_url is None:
        return Check("planner", True, "embedded; set STYLIST_LLM_URL for a language model")
    return Check("planner", True, settings.planner)


def _sd15(settings: Settings) -> Check:
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    missing = [m for m in MODELS.values() if not _present(m, settings.models)]
    lacks = []
    if gpu is None:
        lacks.append("a CUDA GPU with 6 GB")
    if missing:
        lacks.append(f"a model hub, once, for {', '.join(missing)}")
    wanted = settings.base == "sd15"
    found = f"has {gpu}" if gpu else "no GPU here"
    if lacks:
        found += f"; would need {' and '.join(lacks)}"
    if not wanted:
        return Check("sd15 base", True, f"not in use; {found}")
    if gpu is None:
        return Check("sd15 base", False, found, "unset STYLIST_BASE to draw with croquis")
    if missing:
        fix = "; ".join(f"hf download {model}" for model in missing)
        if settings.models is not None:
            fix = f"put them into {settings.models}"
        return Check("sd15 base", False, found, fix)
    return Check("sd15 base", True, found)


def _present(model: str, folder: Path | None) -> bool:
    """Whether ``model`` is in the folder, or else in the hub's local cache; asks nobody."""
    if folder is not None:
        return (folder / model.rsplit("/", 1)[-1]).is_dir()
    from huggingface_hub import constants

    name = f"models--{model.replace('/', '--')}"
    return (Path(constants.HF_HUB_CACHE) / name / "snapshots").is_dir()
