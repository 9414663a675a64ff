"""Pictures beside the page: looks and jobs are their visitor's, and no other file gets out."""

from pathlib import Path

import pytest
from fakes import FakeEngineStudio
from starlette.applications import Starlette
from starlette.testclient import TestClient

from agent.conversation import Conversations
from tools.jobs import Jobs
from tools.look import Look, Plan, Worn
from ui.pictures import Pictures, picture_address
from ui.visitor import COOKIE, Visitors


@pytest.fixture
def browsers(tmp_path: Path):
    """Ann's browser, Ben's, and one without a cookie; and whose each cookie is."""
    visitors = Visitors(tmp_path)
    app = Starlette(routes=[Pictures(tmp_path, visitors).route()])
    cookies = [{COOKIE: visitors.new()}, {COOKIE: visitors.new()}, {}]
    clients = [TestClient(app, cookies=c) for c in cookies]
    return clients, [visitors.owner(c) for c in cookies]


def drawn(home: Path, thread: str, owner: str | None = None) -> Look:
    """A look in that thread, under an id as looks have it."""
    made = FakeEngineStudio(home).render_look(Plan(garments=(Worn(id="tee-white"),)), thread=thread)
    id = f"look-{len(list(home.glob('looks/*'))):016x}"
    receipt = made.receipt.model_copy(update={"look_id": id, "owner": owner})
    folder = Path(made.folder).rename(home / "looks" / id)
    (folder / "receipt.json").write_text(receipt.model_dump_json())
    return made.model_copy(update={"id": id, "folder": str(folder), "receipt": receipt})


def test_a_look_is_shown_to_whom_its_conversation_belongs(browsers, tmp_path):
    (ann, ben, nobody), (owner, _, _) = browsers
    threads = Conversations(tmp_path)
    threads.save(threads.fresh("t1", owner))
    address = picture_address(drawn(tmp_path, "t1").image)
    assert ann.get(address).content.startswith(b"\x89PNG")
    assert [b.get(address).status_code for b in (ben, nobody)] == [404, 404]
    forged = ann.cookies[COOKIE].split(".")[0] + "." + "0" * 64
    assert TestClient(ann.app, cookies={COOKIE: forged}).get(address).status_code == 404


def test_looks_of_other_agents_and_of_the_command_line_are_nobodys_at_the_page(browsers, tmp_path):
    (ann, _, _), (owner, _, _) = browsers
    threads = Conversations(tmp_path)
    threads.save(threads.fresh("t1", owner))
    threads.save(threads.fresh("shell"))
    for look in (drawn(tmp_path, "t1", owner="shop"), drawn(tmp_path, "shell"),
                 drawn(tmp_path, "never-saved")):  # fmt: skip
        assert ann.get(picture_address(look.image)).status_code == 404


def test_a_jobs_pictures_are_its_visitors(browsers, tmp_path):
    (ann, ben, _), (owner, _, _) = browsers
    jobs = Jobs(tmp_path, {"new garment": lambda run: {}})
    job = jobs.add("new garment", {}, owner=owner)
    picture = jobs.folder / job / "kept" / "samples" / "00020-0.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"\x89PNG")
    assert ann.get(picture_address(picture)).status_code == 200
    assert ben.get(picture_address(picture)).status_code == 404


def test_no_other_file_has_a_way_out(browsers, tmp_path):
    (ann, _, _), (owner, _, _) = browsers
    threads = Conversations(tmp_path)
    threads.save(threads.fresh("t1", owner))
    look = drawn(tmp_path, "t1")
    (tmp_path / "secret.png").write_bytes(b"secret")
    Path(look.folder, "link.png").symlink_to(tmp_path / "secret.png")
    for file in ("receipt.json", "../../secret.png", "..%2f..%2fsecret.png", "link.png", "",
                 "%2e%2e/%2e%2e/secret.png", str(tmp_path / "secret.png"), "no.png"):  # fmt: skip
        assert ann.get(f"/pictures/{look.id}/{file}").status_code == 404, file
    for id in ("look-..", "..", "job-0000000000000000", "job-..", "look-" + "0" * 16):
        assert ann.get(f"/pictures/{id}/look.png").status_code == 404, id
