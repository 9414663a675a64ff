import os
from pathlib import Path

import pytest

from catalog.base import usual_threads
from catalog.errors import BadValue
from ui.settings import Settings, quieten, read_settings


def test_the_address_that_is_wrong_is_named_by_its_own_variable():
    with pytest.raises(BadValue, match="OPENAI_BASE_URL"):
        read_settings({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "localhost:1"})


def test_nothing_set_gives_the_embedded_base_planner_and_local_page():
    settings = read_settings({})
    assert (settings.base, settings.host, settings.port) == ("croquis", "127.0.0.1", 7860)
    assert settings.llm_url is None and settings.planner == "embedded planner"
    assert settings.home.name == "stylist"


def test_each_variable_reaches_its_field(tmp_path):
    settings = read_settings(
        {
            "STYLIST_HOME": str(tmp_path),
            "STYLIST_BASE": "sd15",
            "STYLIST_THREADS": "2",
            "STYLIST_HOST": "0.0.0.0",
            "STYLIST_PORT": "8000",
            "STYLIST_LLM_URL": "http://127.0.0.1:8080/v1",
            "STYLIST_LLM_KEY": "k",
            "STYLIST_LLM_MODEL": "m",
        }
    )
    assert settings == Settings(
        home=tmp_path,
        base="sd15",
        threads=2,
        host="0.0.0.0",
        port=8000,
        llm_url="http://127.0.0.1:8080/v1",
        llm_key="k",
        llm_model="m",
    )


def test_an_openai_key_alone_means_openais_endpoint():
    settings = read_settings({"OPENAI_API_KEY": "k"})
    assert settings.llm_url == "https://api.openai.com/v1" and settings.llm_model


def test_an_endpoint_of_ones_own_is_kept_beside_an_openai_key():
    settings = read_settings({"OPENAI_API_KEY": "k", "STYLIST_LLM_URL": "http://localhost:1/v1"})
    assert settings.llm_url == "http://localhost:1/v1"


def test_an_openai_key_is_not_sent_to_another_endpoint():
    settings = read_settings({"OPENAI_API_KEY": "k", "STYLIST_LLM_URL": "http://localhost:1/v1"})
    assert settings.llm_key is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STYLIST_PORT", "0"),
        ("STYLIST_PORT", "65536"),
        ("STYLIST_PORT", "many"),
        ("STYLIST_THREADS", "-1"),
        ("STYLIST_THREADS", "1e3"),
        ("STYLIST_BASE", "sdxl"),
        ("STYLIST_LLM_URL", "localhost:8080"),
        ("STYLIST_HOME", __file__),
        ("STYLIST_HOME", "~nobody-of-that-name/x"),
        ("STYLIST_HOME", "a\0b"),
    ],
)
def test_a_bad_value_names_its_variable_and_a_fix(name, value):
    with pytest.raises(BadValue) as raised:
        read_settings({name: value})
    assert name in raised.value.message and raised.value.hint


def test_an_empty_variable_is_an_unset_one():
    assert read_settings({"STYLIST_PORT": "", "STYLIST_LLM_URL": " "}).port == 7860


def test_the_key_is_not_printed_with_the_settings():
    assert "secret" not in repr(read_settings({"STYLIST_LLM_KEY": "secret"}))


def test_croquis_takes_the_model_hub_and_all_telemetry_offline():
    env: dict[str, str] = {"ANONYMIZED_TELEMETRY": "True"}
    quieten(Settings(home=Path("/nowhere")), env)
    assert env["HF_HUB_OFFLINE"] == "1"
    assert env["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert env["ANONYMIZED_TELEMETRY"] == "False"
    assert env["LANGSMITH_TRACING"] == "false"


def test_sd15_may_reach_its_hub():
    env: dict[str, str] = {}
    quieten(Settings(home=Path("/nowhere"), base="sd15"), env)
    assert "HF_HUB_OFFLINE" not in env


def test_a_sam_checkpoint_that_is_not_there_is_refused_by_name(tmp_path):
    checkpoint = tmp_path / "sam_vit_b_01ec64.pth"
    for value in (str(checkpoint), str(tmp_path), "a\0b"):
        with pytest.raises(BadValue, match="STYLIST_SAM"):
            read_settings({"STYLIST_SAM": value})
    checkpoint.touch()
    assert read_settings({"STYLIST_SAM": str(checkpoint)}).sam == checkpoint
    assert read_settings({}).sam is None


@pytest.mark.parametrize("said, threads", [("1", 1), ("3", 3), ("0", None), ("x", None)])
def test_drawing_takes_as_many_threads_as_openmp_is_told(monkeypatch, said, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 5, 6, 7, 9}, raising=False)
    assert usual_threads() == (threads or 5)
