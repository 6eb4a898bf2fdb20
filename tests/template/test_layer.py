"""The layer brings what its code imports, and no function reaches for more."""

import ast
import subprocess
import sys
import tomllib

import pytest
from deployment import ROOT

LAYER = ROOT / "layers" / "core"
BROUGHT_BY_LAMBDA = {"boto3", "botocore"}
LOCKED = {
    "aws_lambda_powertools": "aws-lambda-powertools",
    "cryptography": "cryptography",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic-core",
    "ulid": "python-ulid",
}


def run_time_imports(path):
    """The top-level packages that a module imports outside TYPE_CHECKING."""
    tree = ast.parse(path.read_text())
    guarded = {n for branch in tree.body if isinstance(branch, ast.If) for n in ast.walk(branch)}
    imports = [node for node in ast.walk(tree) if node not in guarded]
    names = [alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in imports if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


def test_every_import_is_the_standard_librarys_lambdas_or_the_locks():
    files = [*LAYER.rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    used = set().union(*(run_time_imports(path) for path in files)) - sys.stdlib_module_names - {"outpost"}
    assert used == BROUGHT_BY_LAMBDA | LOCKED.keys()


@pytest.mark.parametrize("package", LOCKED.values())
def test_the_layers_lock_is_the_one_that_the_tests_run_on(package):
    def pin(lock):
        return next(line.split(" ")[0] for line in lock.read_text().splitlines() if line.startswith(f"{package}=="))

    assert pin(LAYER / "requirements.txt") == pin(ROOT / "requirements" / "dev.txt")


def test_the_project_and_the_layer_ask_for_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["core"]
    asked = (LAYER / "requirements.in").read_text().splitlines()
    assert sorted(line for line in project if not line.startswith("boto3")) == sorted(asked)


@pytest.mark.parametrize(
    "lock", sorted([LAYER / "requirements.txt", *(ROOT / "requirements").glob("*.txt")]), ids=lambda p: p.name
)
def test_a_lock_holds_hashes_and_no_address(lock):
    text = lock.read_text()
    assert "--hash=sha256:" in text
    assert "http://" not in text
    assert "https://" not in text


def test_the_runner_needs_nothing_but_python():
    files = (ROOT / "agents" / "outpost_runner").rglob("*.py")
    used = set().union(*(run_time_imports(path) for path in files)) - sys.stdlib_module_names
    assert used == {"outpost_runner"}


def test_the_product_starts_without_the_type_stubs():
    program = (
        "import sys\n"
        "class Closed:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith(('mypy_boto3', 'types_')): raise ImportError(name)\n"
        "sys.meta_path.insert(0, Closed())\n"
        "import outpost.wiring, outpost.api.application, outpost.adapters.testimony\n"
        "print('started')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "started\n"), done.stderr
