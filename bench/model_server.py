"""A local server that speaks the OpenAI chat-completions protocol, for models of every kind."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Script = Callable[[list[dict]], "dict | str | int | bytes | Iterator[bytes]"]
"""messages → tool calls ``{"tool": name, "args": {...}}``, a text, an HTTP status, or raw bytes,
at once or one after another."""


class ModelServer:
    """A local server that speaks the OpenAI chat-completions protocol, streaming included."""

    def __init__(self, script: Script) -> None:
        self.requests: list[dict] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body)
                said = script(body["messages"])
                if isinstance(said, int):
                    self._send(said, b'{"error": {"message": "out of order"}}', "application/json")
                elif isinstance(said, bytes):
                    self._send(200, said, "text/event-stream")
                elif isinstance(said, Iterator):
                    self._trickle(said)
                else:
                    self._send(200, _sse(said, len(outer.requests)), "text/event-stream")

            def _send(self, status: int, data: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _trickle(self, parts: Iterator[bytes]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                with suppress(OSError):  # whoever asked has gone
                    for part in parts:
                        self.wfile.write(part)
                self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *exc) -> None:
        self._server.shutdown()
        self._server.server_close()


def _sse(said: dict | str, number: int) -> bytes:
    def event(delta: dict, finish: str | None = None) -> str:
        chunk = {
            "id": f"c{number}", "object": "chat.completion.chunk", "created": 1, "model": "test",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }  # fmt: skip
        return f"data: {json.dumps(chunk)}\n\n"

    events = [event({"role": "assistant", "content": ""})]
    if isinstance(said, str):
        events += [event({"content": word + " "}) for word in said.split(" ")]
        events.append(event({}, "stop"))
    else:
        args = json.dumps(said["args"])
        half = len(args) // 2
        call = {"index": 0, "id": f"call{number}", "type": "function",
                "function": {"name": said["tool"], "arguments": args[:half]}}  # fmt: skip
        events.append(event({"tool_calls": [call]}))
        rest = {"index": 0, "function": {"arguments": args[half:]}}
        events.append(event({"tool_calls": [rest]}))
        events.append(event({}, "tool_calls"))
    return ("".join(events) + "data: [DONE]\n\n").encode()
