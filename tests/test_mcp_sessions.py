"""Sessions that callers open and leave: each has some, and takes none from the others."""

from __future__ import annotations

from test_mcp_http import made, post, public

from tools.mcp_sessions import EACH
from tools.studio import Studio

HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "t", "version": "1"},
}


def test_one_caller_cannot_take_all_sessions_and_loses_its_oldest(room: Studio):
    greedy, other = (f"Bearer {made(room, name)}" for name in ("greedy", "other"))

    def opened(url: str, bearer: str) -> str:
        answer = post(url, "initialize", HELLO, authorization=bearer)
        assert answer.status_code == 200
        return answer.headers["mcp-session-id"]

    def alive(url: str, bearer: str, session: str) -> bool:
        answer = post(url, authorization=bearer, mcp_session_id=session)
        assert answer.status_code in (200, 404)
        return answer.status_code == 200

    with public(room) as url:
        kept = opened(url, other)
        mine = [opened(url, greedy) for _ in range(EACH + 3)]
        assert [alive(url, greedy, s) for s in mine[:5]] == [False] * 3 + [True] * 2
        assert alive(url, greedy, mine[-1]) and alive(url, other, kept)
