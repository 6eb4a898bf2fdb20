"""How the control plane is, which release it is, and the answer to paths and methods that nobody else has."""

from outpost.api.application import Application, Reply
from outpost.api.health import Health
from outpost.api.openapi import describe_api
from outpost.api.request import Request
from outpost.wiring import Wiring

wiring = Wiring.from_environment()
app = Application(wiring)
health = Health(wiring)
handler = app.handler


@app.route("GET", "/")
def get_root(request: Request) -> Reply:  # noqa: ARG001 every route takes its request
    """What answers here."""
    return health.root()


@app.route("GET", "/health")
def get_health(request: Request) -> Reply:  # noqa: ARG001
    """Status, version, uptime and components."""
    return health.overall()


@app.route("GET", "/health/live")
def get_live(request: Request) -> Reply:  # noqa: ARG001
    """Whether this function runs at all."""
    return health.live()


@app.route("GET", "/health/ready")
def get_ready(request: Request) -> Reply:  # noqa: ARG001
    """Whether dispatches can be served."""
    return health.ready()


@app.route("GET", "/health/fleet")
def get_fleet_health(request: Request) -> Reply:  # noqa: ARG001
    """Whether agents can be launched."""
    return health.fleet()


@app.route("GET", "/version")
def get_version(request: Request) -> Reply:  # noqa: ARG001
    """Which release this is."""
    return health.version()


@app.route("GET", "/openapi.json")
def get_openapi(request: Request) -> Reply:
    """The API described for programs."""
    return Reply(describe_api(wiring.settings.version, request.api_url), is_bare=True)
