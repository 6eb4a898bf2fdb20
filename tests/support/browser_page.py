"""A page that listens to a run with the browser's own EventSource, and tells its server what it heard."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

EVENTS = ("status", "progress", "log", "done", "error")
# Longer than the pause after which an EventSource that is not closed would ask again.
SILENCE_MILLISECONDS = 2_500

_PAGE = """<!doctype html>
<title>a run</title>
<script>
const heard = {messages: [], opens: 0, losses: 0};
const source = new EventSource(%(url)s);
source.onopen = () => { heard.opens += 1; };
for (const type of %(events)s) {
  source.addEventListener(type, (event) => {
    if (event.data === undefined) { heard.losses += 1; return; }
    heard.messages.push({type, id: event.lastEventId, data: JSON.parse(event.data)});
    if (type !== "done") return;
    source.close();
    heard.opensAtDone = heard.opens;
    heard.lossesAtDone = heard.losses;
    setTimeout(() => fetch("/heard", {method: "POST", body: JSON.stringify(heard)}), %(silence)d);
  });
}
</script>
"""


@dataclass
class Listening:
    """The page's address, and what it heard once it has told."""

    url: str
    told: threading.Event = field(default_factory=threading.Event)
    heard: dict[str, Any] = field(default_factory=dict)

    def await_end(self, seconds: float) -> dict[str, Any]:
        """What the page heard until `done` and for a while after it."""
        assert self.told.wait(seconds), "the page has told nothing"
        return self.heard


@contextmanager
def serve_page(api_url: str, run_id: str, token: str) -> Iterator[Listening]:
    """A server of its own origin with the page for a run."""
    address = f"{api_url}/runs/{run_id}/events?{urlencode({'access_token': token})}"
    page = _PAGE % {"url": json.dumps(address), "events": json.dumps(EVENTS), "silence": SILENCE_MILLISECONDS}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(page.encode() if self.path == "/" else b"")

        def do_POST(self) -> None:
            listening.heard = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            listening.told.set()
            self._answer(b"")

        def log_message(self, *_: object) -> None:
            """Nothing: a test that passes is silent."""

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening = Listening(f"http://127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listening
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
