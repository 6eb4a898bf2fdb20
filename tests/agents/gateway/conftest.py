"""What the gateway's tests share: a scripted provider, gateways before it, callers, and what was told to the runner."""

import contextlib
import gc
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from outpost_runner.gateway.known_providers import describe_provider
from outpost_runner.gateway.meter import Budget
from outpost_runner.gateway.model_gateway import ModelGateway
from outpost_runner.gateway.upstream import Timeouts
from outpost_runner.gateway.usage import Price
from outpost_runner.gateway.watcher import CallReport, Reading

from .caller import Caller
from .dialects import DIALECTS, Dialect
from .scripted_provider import ScriptedProvider

API_KEY = "sk-real-canary-7f3a91c05e"
# Four figures that no sum of others equals, so that a cost says which tokens were priced as what.
PRICE = Price(
    input_microusd=5_000_000,
    cached_input_microusd=500_000,
    cache_write_microusd=6_250_000,
    output_microusd=25_000_000,
)


@dataclass
class RecordingWatcher:
    readings: list[Reading] = field(default_factory=list)
    warnings: list[Reading] = field(default_factory=list)
    reports: list[CallReport] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    def usage_changed(self, reading: Reading) -> None:
        self.readings.append(reading)

    def budget_nearly_used(self, reading: Reading) -> None:
        self.warnings.append(reading)

    def call_ended(self, report: CallReport) -> None:
        self.reports.append(report)

    def gateway_failed(self, defect: str) -> None:
        self.defects.append(defect)


Open = Callable[..., ModelGateway]
MakeCaller = Callable[[ModelGateway], Caller]


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    serving = ScriptedProvider()
    yield serving
    serving.close()


@pytest.fixture
def watcher() -> Iterator[RecordingWatcher]:
    recording = RecordingWatcher()
    yield recording
    assert recording.defects == []


@pytest.fixture
def open_gateway(provider: ScriptedProvider, watcher: RecordingWatcher) -> Iterator[Open]:
    """Open a gateway for a dialect's provider; by default with its model, its price and no budget."""
    opened: list[ModelGateway] = []

    def open_it(dialect: Dialect, **changes: Any) -> ModelGateway:
        described = describe_provider(
            dialect.provider,
            API_KEY,
            changes.get("prices", {dialect.model: PRICE}),
            changes.get("base_url", provider.url),
        )
        gateway = ModelGateway(
            described,
            changes.get("models", [dialect.model]),
            changes.get("budget", Budget()),
            changes.get("watcher", watcher),
            timeouts=changes.get("timeouts", Timeouts()),
        )
        opened.append(gateway)
        return gateway

    yield open_it
    for gateway in opened:
        gateway.stop()


@pytest.fixture
def make_caller() -> Iterator[MakeCaller]:
    made: list[Caller] = []

    def make_it(gateway: ModelGateway) -> Caller:
        made.append(Caller(gateway.url, gateway.dummy_key))
        return made[-1]

    yield make_it
    for caller in made:
        caller.close()


@pytest.fixture
def anthropic() -> Dialect:
    return DIALECTS["anthropic"]


@pytest.fixture
def gateway(open_gateway: Open, anthropic: Dialect) -> ModelGateway:
    """Before Anthropic, where the protocol does not matter."""
    return open_gateway(anthropic)


@pytest.fixture
def caller(make_caller: MakeCaller, gateway: ModelGateway) -> Caller:
    return make_caller(gateway)


@pytest.fixture
def tls_files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@pytest.fixture
def tls_provider(tls_files: tuple[Path, Path]) -> Iterator[ScriptedProvider]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls_files)
    serving = ScriptedProvider(context)
    yield serving
    serving.close()


@pytest.fixture
def trusted(tls_files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The system vouches for the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_files[0]))


@pytest.fixture
def deaf() -> Iterator[str]:
    """The URL of a port that neither takes connections nor refuses them: its queue is full."""
    with contextlib.ExitStack() as queue:
        listener = queue.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def open_sockets() -> Callable[[], set[str]]:
    """The sockets that this process has open, by their numbers in the kernel."""

    def find() -> set[str]:
        gc.collect()
        links = []
        for file in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                links.append(str(file.readlink()))
        return {link for link in links if link.startswith("socket:")}

    return find


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait for what another thread does in its own time."""

    def wait_for(is_so: Callable[[], bool]) -> None:
        ends_at = time.monotonic() + 5
        while not is_so():
            assert time.monotonic() < ends_at, "it never came to be"
            time.sleep(0.005)

    return wait_for
