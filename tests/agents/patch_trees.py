"""Random trees, random work on them, and what a tree holds, for tests that compare one with another."""

import os
import shutil
import stat
from pathlib import Path

from hypothesis import strategies as st

# Few names, so that folders and files come to be in each other's place.
NAMES = st.sampled_from(["a", "b", "c d", "ünï", "e.txt", "f.bin", '"q"', "tab\there", "-x", "new\nline"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TEXTS = st.sampled_from(["one", "two", "", "three \t", "\u00e9", "a b"])
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
LINES = st.builds(
    lambda lines, end, has_end: end.join(lines).encode() + (end.encode() if has_end else b""),
    st.lists(TEXTS, max_size=12),
    LINE_ENDS,
    st.booleans(),
)
CONTENTS = st.one_of(LINES, st.binary(max_size=200), st.just(b""), st.just(b"same\n" * 30))
FILES = st.tuples(st.just("file"), CONTENTS, st.booleans())
LINKS = st.tuples(st.just("link"), st.sampled_from(["a", "../x", "/etc/passwd", "nowhere", "."]), st.just(False))
# Such as change how git shows a file, and none of its bytes.
ATTRIBUTES = st.sampled_from([b"* -text\n", b"*.txt -diff\n", b"*.bin binary\n", b"* diff=x\n", b"*.txt -text -diff\n"])
TREES = st.dictionaries(PATHS, st.one_of(FILES, LINKS), max_size=8)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), PATHS, st.one_of(FILES, LINKS)),
        st.tuples(st.just("remove"), PATHS, st.none()),
        st.tuples(st.just("move"), PATHS, PATHS),
        st.tuples(st.just("turn"), PATHS, st.none()),
        st.tuples(st.just("attributes"), st.just(".gitattributes"), ATTRIBUTES),
    ),
    max_size=10,
)


def make_tree(folder: Path, tree: dict[str, tuple]) -> None:
    for path, content in tree.items():
        put(folder / path, content, folder)


def edit_tree(folder: Path, edits: list[tuple]) -> None:
    """An edit of what is not there is none."""
    for kind, path, what in edits:
        EDIT[kind](folder, folder / path, what)


def read_tree(folder: Path) -> dict[str, tuple]:
    """Content, whether it is a program, and where a link leads, by path; folders are not told, as git has none."""
    found = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*files, *(each for each in folders if Path(parent, each).is_symlink())]:
            path = Path(parent, name)
            found[str(path.relative_to(folder))] = read_entry(path)
    return found


def read_entry(path: Path) -> tuple:
    if path.is_symlink():
        return "link", str(path.readlink()), False
    return "file", path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR)


def put(path: Path, content: tuple, folder: Path) -> None:
    make_room(path, folder)
    kind, what, is_program = content
    if kind == "link":
        path.symlink_to(what)
    else:
        path.write_bytes(what)
        path.chmod(0o755 if is_program else 0o644)


def make_room(path: Path, folder: Path) -> None:
    """Folders above it, whatever was in their place, and nothing in its own."""
    for parent in reversed(path.relative_to(folder).parents[:-1]):
        if not is_folder(folder / parent):
            remove(folder / parent)
            (folder / parent).mkdir()
    remove(path)


def remove(path: Path) -> None:
    if is_folder(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def move(folder: Path, path: Path, target: str) -> None:
    if is_there(folder, path) and not f"{target}/".startswith(f"{path.relative_to(folder)}/"):
        aside = folder / ".aside"
        path.rename(aside)
        make_room(folder / target, folder)
        aside.rename(folder / target)


def turn(folder: Path, path: Path, _: None) -> None:
    """A file becomes a folder with it inside, a folder a file."""
    if not is_there(folder, path):
        return
    was_folder = is_folder(path)
    put(path if was_folder else path / "inside", ("file", b"turned\n", False), folder)


def is_there(folder: Path, path: Path) -> bool:
    above = [folder / parent for parent in path.relative_to(folder).parents]
    return os.path.lexists(path) and all(is_folder(parent) for parent in above)


def is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def remove_where_it_is(folder: Path, path: Path, _: None) -> None:
    if is_there(folder, path):
        remove(path)


EDIT = {
    "put": lambda folder, path, what: put(path, what, folder),
    "remove": remove_where_it_is,
    "move": move,
    "turn": turn,
    "attributes": lambda folder, path, what: put(path, ("file", what, False), folder),
}
