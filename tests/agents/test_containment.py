"""A hostile agent, as the unprivileged user that it is: what it finds out of reach.

Its container gives it no task role, and no other run shares it: see tests/template for the first.
"""

import os
import pwd
import tempfile
from pathlib import Path

import pytest

from .gateway.scripted_provider import ScriptedProvider, streamed
from .scripted_platform import BOOTSTRAP_TOKEN, SESSION_TOKEN
from .stand_in import ANTHROPIC, CALL, CANARY, claim_models, give_orders, install

SYSTEM_PYTHON = Path("/usr/bin/python3")
GIT_TOKEN = "git-token-canary-0123456789"
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the agent another user"),
    pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="another user needs a Python that it may read"),
]
# The tokens in halves, so that the orders themselves are no find.
SECRETS = tuple((secret[:9], secret[9:]) for secret in (CANARY, GIT_TOKEN, BOOTSTRAP_TOKEN, SESSION_TOKEN))
LOOK_FOR = f"secrets = [(a + b).encode() for a, b in {SECRETS!r}]\nfound = lambda text: any(s in text for s in secrets)"


@pytest.fixture
def provider():
    serving = ScriptedProvider()
    serving.replies.append(streamed(ANTHROPIC, CALL))
    yield serving
    serving.close()


@pytest.fixture
def open_folder():
    """A folder that every user can enter: pytest's own is root's alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def attack(run, platform, provider, open_folder):
    """What the agent says of what its orders found; `{runner}` in them is the process of its runner."""
    claim_models(platform, provider.url)
    platform.claim["credentials"]["git"] = {"username": "x-access-token", "password": GIT_TOKEN}
    environment = {
        **install(open_folder / "bin", str(SYSTEM_PYTHON)),
        "AGENT_USER": "nobody",
        "OUTPOST_TASK_ROOT": "",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/0123",
    }

    def say(orders: str) -> str:
        run(give_orders(f"{LOOK_FOR}\nrunner = os.getppid()\nask()\n{orders}"), environment)
        return platform.completion["result"]["summary"]

    return say


def test_it_is_not_its_runners_user(attack):
    assert attack("end(os.getuid())") == str(pwd.getpwnam("nobody").pw_uid)


@pytest.mark.parametrize("name", ["environ", "mem", "maps", "auxv", "stack", "syscall"])
def test_its_runners_memory_and_environment_are_closed(attack, name):
    assert attack(f"end(reads(f'/proc/{{runner}}/{name}') == b'')") == "True"


def test_its_runners_files_are_closed(attack):
    orders = """
def listed(path):
    try:
        return os.listdir(path)
    except PermissionError:
        return 'closed'
end([listed('../private'), listed(f'/proc/{runner}/fd'), listed(f'/proc/{runner}/cwd')])
"""
    assert attack(orders) == "['closed', 'closed', 'closed']"


def test_it_cannot_trace_its_runner(attack):
    assert attack("end(ctypes.CDLL(None).ptrace(16, runner, 0, 0))") == "-1"


def test_it_cannot_signal_its_runner(attack):
    orders = """
try:
    os.kill(runner, 9)
except PermissionError:
    end('refused')
"""
    assert attack(orders) == "refused"


def test_no_secret_is_in_a_process_that_it_can_look_into(attack):
    orders = """
names = ('environ', 'cmdline')
texts = [reads(f'/proc/{process}/{name}') for process in os.listdir('/proc') if process.isdecimal() for name in names]
end((any(texts), any(map(found, texts))))
"""
    assert attack(orders) == "(True, False)"


def test_no_secret_is_in_a_file_that_it_can_read(attack):
    orders = """
root = os.path.dirname(os.getcwd())
folders = [root, '/run', '/var/tmp', '/dev/shm', os.path.expanduser('~')]
texts = [reads(os.path.join(f, n)) for start in folders for f, _, names in os.walk(start) for n in names]
end(any(map(found, texts)))
"""
    assert attack(orders) == "False"


def test_its_environment_leads_neither_to_the_broker_nor_to_a_role(attack):
    names = "('API_URL', 'BOOTSTRAP_TOKEN', 'TENANT_ID', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')"
    assert attack(f"end([name for name in {names} if name in os.environ])") == "[]"


def test_no_program_lends_it_more_rights(attack):
    orders = """
status = dict(line.split(':', 1) for line in reads('/proc/self/status').decode().splitlines())
end([int(status[name].strip(), 16) for name in ('CapEff', 'CapPrm', 'CapAmb', 'NoNewPrivs')])
"""
    assert attack(orders) == "[0, 0, 0, 1]"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://169.254.170.2/v2/credentials/0123",
        "/latest/meta-data/iam/security-credentials/",
        "/v2/credentials/0123",
        "/v1/messages/../../v2/credentials/0123",
        "//169.254.170.2/v2/credentials/0123",
        "/runner/claim",
        "/runner/heartbeat",
    ],
)
def test_the_gateway_leads_nowhere_but_to_the_models(attack, provider, target):
    orders = f"""
host = urllib.parse.urlsplit(GATEWAY).netloc
statuses = []
for method in ('GET', 'POST'):
    connection = http.client.HTTPConnection(host)
    connection.request(method, '{target}', '{{}}', {{'x-api-key': KEY, 'Host': '169.254.170.2'}})
    statuses.append(connection.getresponse().status)
    connection.close()
end(statuses)
"""
    assert attack(orders) == "[404, 404]"
    assert [seen.target for seen in provider.seen] == ["/v1/messages"]


def test_the_gateway_is_no_tunnel(attack, provider):
    orders = """
connection = http.client.HTTPConnection(urllib.parse.urlsplit(GATEWAY).netloc)
connection.set_tunnel('169.254.170.2', 80, {'x-api-key': KEY})
try:
    connection.request('GET', '/v2/credentials/0123')
    end('open')
except OSError:
    end('refused')
"""
    assert attack(orders) == "refused"
    assert len(provider.seen) == 1


def test_what_it_left_behind_reaches_no_gateway_of_a_later_run(attack, provider):
    orders = """
if os.fork() == 0:
    os.setsid()
    os.closerange(0, 3)
    time.sleep(30)
    ask()
end('left')
"""
    assert attack(orders) == "left"
    assert len(provider.seen) == 1
