"""Every dial, its default, and the STYLIST_* variable that turns it. Read once, passed down."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import BadValue, clip

BASES = ("croquis", "sd15")
HUB_BASES = ("sd15",)
"""Bases whose weights come from a model hub; every other base works without a network."""

QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",
    "CHROMA_TELEMETRY_IMPL": "none",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What the libraries read to stay silent; a shopper's words leave the machine only to an LLM."""


@dataclass(frozen=True)
class Settings:
    """What a person can set. Each field names its variable."""

    home: Path
    """STYLIST_HOME: catalog, looks, threads and jobs live here."""
    base: str = "croquis"
    """STYLIST_BASE: croquis (embedded, any machine) or sd15 (GPU and model hub)."""
    models: Path | None = None
    """STYLIST_MODELS: a folder with the models of a hub base, so that no hub is asked."""
    sam: Path | None = None
    """STYLIST_SAM: an official SAM checkpoint (ViT-B, L or H) that answers clicks; unset = the
    croquis SAM."""
    threads: int | None = None
    """STYLIST_THREADS: processor threads for drawing, 1–256; unset = OMP_NUM_THREADS, else all
    cores."""
    host: str = "127.0.0.1"
    """STYLIST_HOST: address the chat page listens on."""
    port: int = 7860
    """STYLIST_PORT: its port, 1–65535."""
    llm_url: str | None = None
    """STYLIST_LLM_URL: an OpenAI-compatible endpoint; unset = the embedded planner."""
    llm_key: str | None = field(default=None, repr=False)
    """STYLIST_LLM_KEY, or without STYLIST_LLM_URL also OPENAI_API_KEY: a key alone means OpenAI's
    own endpoint, and its key is sent nowhere else."""
    llm_model: str | None = None
    """STYLIST_LLM_MODEL: model name at that endpoint."""

    llm_tokens: int | None = 500_000
    """STYLIST_LLM_TOKENS: tokens the endpoint may use in a day (UTC); then the embedded planner
    plans. 1–1,000,000,000, or “none” for no limit."""

    @property
    def planner(self) -> str:
        """Who plans, in words."""
        return f"{self.llm_model} at {self.llm_url}" if self.llm_url else "embedded planner"


def read_settings(env: Mapping[str, str] | None = None) -> Settings:
    """The settings that ``env`` (default: this process's environment) asks for.

    Raises BadValue naming the variable that cannot be used.
    """
    env = os.environ if env is None else env

    def get(name: str) -> str | None:
        return env.get(name, "").strip() or None

    base = get("STYLIST_BASE") or "croquis"
    if base not in BASES:
        raise BadValue(
            f"STYLIST_BASE is “{clip(base)}”, and there is no such base.",
            f"Set it to {' or '.join(BASES)}.",
        )
    url, key = get("STYLIST_LLM_URL"), get("STYLIST_LLM_KEY")
    named = "STYLIST_LLM_URL"
    if url is None and (key := key or get("OPENAI_API_KEY")):
        named, url = "OPENAI_BASE_URL", get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
    if url is not None and not url.startswith(("http://", "https://")):
        raise BadValue(
            f"{named} is “{clip(url)}”, which is not a web address.",
            "Give it in full, such as http://127.0.0.1:8080/v1.",
        )
    threads = get("STYLIST_THREADS")
    return Settings(
        home=_home(get("STYLIST_HOME")),
        base=base,
        models=_models(get("STYLIST_MODELS")),
        sam=_sam(get("STYLIST_SAM")),
        threads=None if threads is None else _whole("STYLIST_THREADS", threads, 1, 256),
        host=get("STYLIST_HOST") or "127.0.0.1",
        port=_whole("STYLIST_PORT", get("STYLIST_PORT") or "7860", 1, 65535),
        llm_url=url,
        llm_key=key,
        llm_model=(get("STYLIST_LLM_MODEL") or "gpt-4.1-mini") if url else None,
        llm_tokens=_tokens(get("STYLIST_LLM_TOKENS") or "500000"),
    )


def quieten(settings: Settings, env: MutableMapping[str, str] | None = None) -> None:
    """Turn every library's telemetry off, and the model hub unless the base needs it.

    Call before the first heavy import: the libraries read these variables when imported.
    """
    env = os.environ if env is None else env
    env.update(QUIET)
    if settings.base not in HUB_BASES or settings.models is not None:
        env["HF_HUB_OFFLINE"] = "1"
    env["GRADIO_TEMP_DIR"] = str(settings.home / "cache" / "page")
    # latents of a repaint look to diffusers like a picture in an old range; nothing is wrong
    warnings.filterwarnings("ignore", "Passing `image` as torch tensor", FutureWarning)


def _models(value: str | None) -> Path | None:
    if value is None:
        return None
    if not Path(value).is_dir():
        raise BadValue(
            f"STYLIST_MODELS is “{clip(value, 200)}”, and there is no such folder.",
            "Set it to the folder that holds the models, or leave it out.",
        )
    return Path(value).absolute()


def _sam(value: str | None) -> Path | None:
    if value is None:
        return None
    try:
        known = Path(value).is_file()
    except (OSError, ValueError):
        known = False
    if not known:
        raise BadValue(
            f"STYLIST_SAM is “{clip(value, 200)}”, and there is no such file.",
            "Set it to a checkpoint such as sam_vit_b_01ec64.pth, or leave it out.",
        )
    return Path(value).absolute()


def _home(value: str | None) -> Path:
    if value is None:
        import platformdirs

        return Path(platformdirs.user_data_dir("stylist", appauthor=False))
    if "\0" in value:
        raise BadValue("STYLIST_HOME holds a NUL character.", "Set it to a folder's path.")
    try:
        home = Path(value).expanduser().absolute()
    except RuntimeError:
        raise BadValue(
            f"STYLIST_HOME is “{clip(value)}”, and there is no such person here.",
            "Set it to a folder's path.",
        ) from None
    if home.exists() and not home.is_dir():
        raise BadValue(f"STYLIST_HOME is {clip(home, 200)}, a file.", "Set it to a folder's path.")
    return home


def _tokens(value: str) -> int | None:
    if value.lower() == "none":
        return None
    return _whole("STYLIST_LLM_TOKENS", value, 1, 1_000_000_000)


def _whole(name: str, value: str, low: int, high: int) -> int:
    try:
        number = int(value)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise BadValue(
            f"{name} is “{clip(value)}”.", f"Set it to a whole number from {low} to {high}."
        )
    return number
