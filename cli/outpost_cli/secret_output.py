"""How a secret that is told once reaches whoever needs it: a person, a pipe, or a JSON document."""

from rich import box
from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from outpost_cli.models.account import IssuedKey
from outpost_cli.output import Output, make_safe, print_part

SHOWN_ONCE = "The API key is shown this once: keep it now"


def show_issued_key(output: Output, issued: IssuedKey, *about: RenderableType) -> None:
    """A new key. In a pipe its secret is alone on stdout, so that a program can read it; the rest is beside it."""
    if output.as_json:
        output.show_result(issued.document)
        return
    if not output.stdout.is_terminal:
        output.show_result(None, Text(make_safe(issued.secret)))
        for part in about:
            print_part(output.stderr, part)
        return
    # Without sides, so that a line can be copied whole.
    panel = Panel(
        Text(make_safe(issued.secret), overflow="fold"),
        box=box.HORIZONTALS,
        title=SHOWN_ONCE,
        border_style="yellow",
        expand=False,
    )
    output.show_result(None, *about, panel)
