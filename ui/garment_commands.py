"""stylist catalog add | import | export, season and job: LoRAs made, watched and exchanged."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import BadValue, CannotNow, clip
from ui.settings import HUB_BASES, Settings
from ui.terminal import Progress, print_json, say, say_error, stoppable

if TYPE_CHECKING:
    from catalog.index import Catalog
    from tools.jobs import Jobs, Status

Command = Callable[..., argparse.ArgumentParser]


def add_catalog_commands(parts: Any, command: Command) -> None:
    """The commands under ``stylist catalog``."""
    add = command(parts, "add", _add, "Make a garment from photos: cut out, train, try, publish.")
    add.add_argument("folder", metavar="FOLDER", help="photos of it, about ten; also a zip")
    add.add_argument("--name", required=True, help='such as "Red wool coat"')
    add.add_argument("--category", help="what it is; without it its shape tells")
    add.add_argument("--tags", default="", metavar="A,B", help="tags every photo gets")
    add.add_argument("--without", default="", metavar="A,B", help="tags no photo gets")
    add.add_argument("--base", help="the base it is trained for (default: STYLIST_BASE)")
    add.add_argument(
        "--threshold", type=float, default=0.35, metavar="P",
        help="a tagger's confidence from which a word becomes a tag (sd15 only)",
    )  # fmt: skip
    add.add_argument("--price", type=float, default=0.0, help="in euros")
    add.add_argument("--steps", type=int, help="training steps (default: what the base needs)")
    add.add_argument(
        "--sample-every", type=int, default=0, metavar="N", help="a picture every N steps"
    )
    add.add_argument(
        "--prompt", action="append", default=[], help="what the samples show (default: its card)"
    )
    add.add_argument(
        "--rembg", action="store_true", help="cut out by rembg, if it is installed (it downloads)"
    )
    add.add_argument("--review", action="store_true", help="wait after tagging, to mend captions")
    add.add_argument("--later", action="store_true", help="queue the job, do not run it")
    _add_dials(add)
    bring = command(parts, "import", _import, "Give a garment a LoRA file made elsewhere.")
    bring.add_argument("id", metavar="ID", help="a garment of the catalog")
    bring.add_argument("file", metavar="FILE", help="kohya, diffusers or peft format, safetensors")
    bring.add_argument(
        "--without-text", action="store_true", help="leave the text encoder's part out"
    )
    out = command(parts, "export", _export, "Write a garment's LoRA for other tools.")
    out.add_argument("id", metavar="ID", help="a garment of the catalog")
    out.add_argument("file", metavar="FILE", help="where to; must not exist")
    out.add_argument("--format", choices=("kohya", "diffusers"), default="kohya")
    for part in (add, bring, out):
        part.add_argument("--json", action="store_true", help="print JSON")


def add_season_commands(commands: Any, command: Command) -> None:
    """``stylist season …``."""
    season = commands.add_parser("season", help="Seasons: train one's look from photos.")
    parts = season.add_subparsers(metavar="COMMAND", required=True)
    train = command(parts, "train", _season_train, "Train a season's LoRA from outfit photos.")
    train.add_argument("name", metavar="NAME", help="spring-autumn, summer or winter")
    train.add_argument("folder", metavar="FOLDER", help="photos of outfits; also a zip")
    train.add_argument("--later", action="store_true", help="queue the job, do not run it")
    train.add_argument("--json", action="store_true", help="print JSON")
    _add_dials(train)


def _add_dials(part: argparse.ArgumentParser) -> None:
    part.add_argument(
        "--set", action="append", default=[], metavar="DIAL=N", dest="dials",
        help="a dial of the training: rank, alpha, rate, epochs, repeats, batch, seed, prior …",
    )  # fmt: skip


def add_job_commands(commands: Any, command: Command) -> None:
    """``stylist job …``."""
    job = commands.add_parser("job", help="Long work: list, watch, cancel, resume.")
    parts = job.add_subparsers(metavar="COMMAND", required=True)
    for name, run, about in (
        ("list", _job_list, "Every job on one line."),
        ("show", _job_show, "Everything about one job."),
        ("watch", _job_watch, "Follow a job that another process runs."),
        ("cancel", _job_cancel, "Stop a job; what it finished is kept."),
        ("resume", _job_resume, "Run a job on from where it stopped."),
    ):
        part = command(parts, name, run, about)
        part.add_argument("--json", action="store_true", help="print JSON")
        if name != "list":
            part.add_argument("id", metavar="ID", help="as shown by `stylist job list`")


# --- garments --------------------------------------------------------------------------------


def _add(args: argparse.Namespace, settings: Settings) -> int:
    from tools.garment_order import start

    base = args.base or settings.base
    if base in HUB_BASES and base != settings.base and settings.models is None:
        raise BadValue(
            f"The models of {base} come from a hub, and none is asked unbidden.",
            f"Set STYLIST_BASE={base}, or STYLIST_MODELS to a folder that holds them.",
        )
    catalog = _catalog(settings)
    jobs = _jobs(settings, catalog)
    id = start(
        jobs,
        catalog,
        args.name,
        Path(args.folder),
        category=args.category,
        tags=_listed(args.tags),
        without=_listed(args.without),
        price=args.price,
        steps=args.steps,
        base=base,
        threshold=args.threshold,
        rembg=args.rembg,
        review=args.review,
        sample_every=args.sample_every,
        prompts=args.prompt,
        training=_dials(args.dials),
    )
    return _begun(jobs, id, args)


def _season_train(args: argparse.Namespace, settings: Settings) -> int:
    from tools.new_season import start

    jobs = _jobs(settings, _catalog(settings))
    id = start(jobs, args.name, Path(args.folder), base=settings.base, training=_dials(args.dials))
    return _begun(jobs, id, args)


def _begun(jobs: Jobs, id: str, args: argparse.Namespace) -> int:
    """Run a fresh job, unless it is for later; ``--json`` ends with one short line."""
    if args.later:
        status, code = jobs.status(id), 0
    else:
        say(f"{id}: stop it with Ctrl-C, go on with `stylist job resume {id}`.")
        status, code = _run(jobs, id)
    if not args.json:
        _told(status, False)
        return code
    result = status.result or {}
    facts = {
        "id": status.id,
        "state": status.state,
        "seconds": status.seconds,
        "flags": result.get("flags", []),
    }
    if status.error:
        facts["error"] = status.error
    print_json(facts)
    return code


def _dials(given: list[str]) -> dict[str, float]:
    dials = {}
    for one in given:
        name, _, value = one.partition("=")
        try:
            dials[name.strip()] = float(value)
        except ValueError:
            raise BadValue(f"--set {clip(one)} sets nothing.", "Write --set rank=4.") from None
    return dials


def _import(args: argparse.Namespace, settings: Settings) -> int:
    from catalog.kohya import catalog_file, read
    from catalog.lora_file import read_lora
    from catalog.photo_file import photo_pixels

    catalog = _catalog(settings)
    card = catalog.get(args.id)
    if card.base != settings.base:
        raise BadValue(
            f"{card.name} belongs to the base {card.base}.", f"Set STYLIST_BASE={card.base}."
        )
    # 1. every key beside the base's modules
    path = Path(args.file)
    data = read_lora(path)
    say(f"Loading the {settings.base} base")
    base, layers = _layers(settings)
    lora = read(
        data, layers, base=base.name, base_sha256=base.denoiser_sha256, peft_config=_peft(path)
    )
    kept = catalog_file(lora.without_text() if args.without_text else lora, base.name, card.trigger)
    # 2. does it work
    strength: float | None = None
    flags: tuple[str, ...] = ()
    if base.name == "croquis":
        photos = [photo_pixels(p.read_bytes()) for p in catalog.photos(card.id)]
        strength, flags = _tried(card, kept, base, photos)
    # 3. into the catalog
    card = catalog.replace_lora(card.id, kept, strength=strength, flags=flags)
    facts = {
        "id": card.id,
        "lora_sha256": card.lora_sha256,
        "rank": lora.rank,
        "modules": len(lora.pairs),
        "strength": card.strength,
        "flags": list(flags),
    }
    if args.json:
        print_json(facts)
    else:
        print(f"{card.name} now wears a LoRA of rank {lora.rank} on {len(lora.pairs)} modules.")
        print(f"Trigger word: {card.trigger}; strength {card.strength:g}.")
    return 0


def _tried(card: Any, data: bytes, base: Any, photos: list[Any]) -> tuple[float, tuple[str, ...]]:
    """The LoRA's preferred strength and flags. Raises ``BadValue`` when it cannot be worn."""
    import tempfile

    from tools.admission import examine

    with tempfile.TemporaryDirectory() as folder, Progress(sys.stderr) as progress:
        path = Path(folder) / "lora.safetensors"
        path.write_bytes(data)
        report = examine(
            card, path, base, photos=photos,
            progress=lambda n, of: progress.work("trying it on", n, of),
        )  # fmt: skip
    if not report.wearable:
        raise BadValue(
            f"The LoRA cannot be worn: it is {', '.join(report.flags)}.",
            "The garment keeps the one it had.",
        )
    return report.strength, report.flags


def _export(args: argparse.Namespace, settings: Settings) -> int:
    from catalog.kohya import About, diffusers_file, kohya_file, read
    from catalog.lora_file import read_lora
    from catalog.photo_frame import SIZES

    catalog = _catalog(settings)
    card = catalog.get(args.id)
    path = Path(args.file)
    if path.exists():
        raise BadValue(f"There is already a file {path.name}.", "Give another name.")
    _, layers = _layers(settings, card.base)
    lora = read(read_lora(catalog.lora(card.id)), layers)
    if args.format == "kohya":
        pictures = len(catalog.photos(card.id))
        tags = {card.trigger: pictures, card.color: pictures, card.category: pictures}
        about = About(card.name, card.trigger, card.base, SIZES[card.base], tags, pictures)
        data = kohya_file(lora, about)
    else:
        data = diffusers_file(lora)
    try:
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(data)
        partial.rename(path)
    except OSError as error:
        raise CannotNow(
            f"{path.name} cannot be written ({error.strerror}).", "Give another place."
        ) from error
    facts = {"id": card.id, "file": str(path), "format": args.format, "trigger": card.trigger}
    if args.json:
        print_json(facts)
    else:
        print(f"{path}: {len(data) / 1000:.0f} KB. Trigger word: {card.trigger}.")
    return 0


def _layers(settings: Settings, name: str | None = None) -> tuple[Any, dict[str, tuple[int, ...]]]:
    from catalog.base import load_base
    from catalog.kohya import layers_of

    base = load_base(name or settings.base, folder=settings.models)
    return base, layers_of(base.unet, base.text_encoder)


def _peft(path: Path) -> dict[str, Any] | None:
    """The ``adapter_config.json`` beside a peft file."""
    config = path.with_name("adapter_config.json")
    if not config.is_file() or config.stat().st_size > 1 << 20:
        return None
    try:
        found = json.loads(config.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadValue("adapter_config.json cannot be read.", "Mend or remove it.") from error
    return found if isinstance(found, dict) else None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


# --- jobs ------------------------------------------------------------------------------------


def _job_list(args: argparse.Namespace, settings: Settings) -> int:
    found = _jobs(settings).list()
    if args.json:
        print_json([s.model_dump(mode="json") for s in found])
        return 0
    for s in found:
        step = f"{s.step}/{s.steps}" if s.steps else ""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(s.created))
        print(f"{s.id}  {s.state:<10} {s.kind:<14} {when}  {s.stage:<28} {step}")
    say(f"{len(found)} jobs.")
    return 0


def _job_show(args: argparse.Namespace, settings: Settings) -> int:
    status = _jobs(settings).status(args.id)
    code = _told(status, args.json)
    return 1 if status.state == "unknown" else code


def _job_watch(args: argparse.Namespace, settings: Settings) -> int:
    jobs = _jobs(settings)
    status = jobs.status(args.id)
    with stoppable() as stop, Progress(sys.stderr) as progress:
        # one that nobody runs has a message: what to do
        while status.state in ("queued", "running") and not status.message and not stop.is_set():
            progress.work(status.stage or status.state, status.step, status.steps)
            time.sleep(0.5)
            status = jobs.status(args.id)
    return _told(status, args.json)


def _job_cancel(args: argparse.Namespace, settings: Settings) -> int:
    return _told(_jobs(settings).cancel(args.id), args.json)


def _job_resume(args: argparse.Namespace, settings: Settings) -> int:
    from tools.garment_jobs import say_the_word

    jobs = _jobs(settings, _catalog(settings))
    say_the_word(jobs, args.id)
    status, code = _run(jobs, args.id)
    _told(status, args.json)
    return code


def _run(jobs: Jobs, id: str) -> tuple[Status, int]:
    """Run a job with its progress shown; 0 done or waiting for a word, 1 failed, 130 stopped."""
    with stoppable() as cancel, Progress(sys.stderr) as progress:
        status = jobs.run(
            id, cancel=cancel, on_change=lambda s: progress.work(s.stage, s.step, s.steps)
        )
    return status, {"done": 0, "queued": 0, "cancelled": 130}.get(status.state, 1)


def _told(status: Status, as_json: bool) -> int:
    if as_json:
        facts = status.model_dump(mode="json")
        flags = (status.result or {}).get("flags", [])
        print_json({**facts, "flags": flags})
        return 0
    step = f" {status.step}/{status.steps}" if status.steps else ""
    where = f", {status.stage}{step}" if status.stage not in ("", status.state) else ""
    print(f"{status.id}: {status.state}{where}")
    for key, value in (status.result or {}).items():
        shown = "; ".join(map(str, value)) if isinstance(value, list) else value
        if shown not in ("", None):
            print(f"  {key:<12} {shown}")
    if status.error:
        say_error(status.error)
    if status.message:
        say(status.message)
    return 0


def _jobs(settings: Settings, catalog: Catalog | None = None) -> Jobs:
    """The home's jobs; with a catalog they can also be run."""
    from tools.jobs import Jobs

    if catalog is None:
        return Jobs(settings.home, {})
    from tools.garment_jobs import work

    return Jobs(settings.home, work(catalog, settings.threads, settings.models))


def _catalog(settings: Settings) -> Catalog:
    from catalog.index import Catalog

    with Progress(sys.stderr) as progress:
        return Catalog(settings.home, progress=progress.work)
