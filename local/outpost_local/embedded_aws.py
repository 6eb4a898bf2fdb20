"""An AWS of its own inside this process: moto behind a real HTTP endpoint on loopback."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from outpost_local.aws_application import AwsApplication, InvokeFunction, Watcher
from outpost_local.dynamodb_answers import bridge_answers
from outpost_local.dynamodb_transactions import bridge_transactions
from outpost_local.faults import Faults
from outpost_local.log_pages import bridge_log_pages
from outpost_local.patching import Patches

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
ACCESS_KEY_ID = "AKIALOCALLOCALLOCAL0"
SECRET_ACCESS_KEY = "local-and-worth-nothing"  # noqa: S105 - the embedded AWS accepts any


class _QuietHandler(MotoRequestHandler):  # type: ignore[misc] # moto is untyped
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002, ARG002 - werkzeug's names
        logging.getLogger("outpost.local.aws").debug(message, *args)


class EmbeddedAws:
    """The endpoint, clients for it, and the environment with which other programs find it."""

    def __init__(self, home: Path) -> None:
        self.faults = Faults()
        # Told of each call that was done, (operation, request body), while nothing else is.
        self.watchers: list[Watcher] = []
        self.patches = Patches()
        self._home = home
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def start(self, invoke_function: InvokeFunction) -> None:
        _reset_backends()
        bridge_transactions(self.patches)
        bridge_answers(self.patches)
        bridge_log_pages(self.patches)
        self.patches.set_entry(dict_of(default_user_config), "stepfunctions", {"execute_state_machine": True})
        application = AwsApplication(
            DomainDispatcherApplication(create_backend_app),
            self.faults,
            self.watchers,
            invoke_function,
            SECRET_ACCESS_KEY,
        )
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_QuietHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined] # a threaded werkzeug server has it
        self._thread = threading.Thread(target=self._server.serve_forever, name="embedded-aws", daemon=True)
        self._thread.start()

    @property
    def endpoint_url(self) -> str:
        if self._server is None:
            raise RuntimeError("The embedded AWS is not running.")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Everything that an AWS SDK needs to come here and nowhere else."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(self._home / "no-aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._home / "no-aws-credentials"),
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS; made once per service."""
        with self._lock:
            if service not in self._clients:
                # botocore's clients are made under a lock of ours: making them is not thread-safe, using them is.
                session = boto3.session.Session(
                    aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION
                )
                # Presigned URLs of the older version 2 cover neither size nor checksum.
                config = Config(
                    signature_version="s3v4" if service == "s3" else None,
                    retries={"mode": "standard", "total_max_attempts": 2},
                    max_pool_connections=50,
                    proxies={},
                )
                make_client: Callable[..., Any] = session.client
                self._clients[service] = make_client(service, endpoint_url=self.endpoint_url, config=config)
            return self._clients[service]

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._thread is not None:
            self._thread.join(timeout=5)
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self.patches.undo()
        _reset_backends()


def dict_of(mapping: Any) -> dict[Any, Any]:
    """The same mapping under a looser type: moto's configuration is a TypedDict."""
    typed: dict[Any, Any] = mapping
    return typed


def _reset_backends() -> None:
    BackendDict.reset()
    reset_model_data()
