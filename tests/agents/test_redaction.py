"""A secret is never shown, whichever way it is spelled and wherever the blocks of the output end."""

import base64
import json
import random
import re
import textwrap
from itertools import pairwise
from urllib.parse import quote, quote_plus

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from outpost_runner.line_splitter import LineSplitter
from outpost_runner.redaction import REPLACEMENT, Redactor

EXAMPLES = settings(deadline=None, derandomize=True, database=None, max_examples=150)

SECRET = "sk-provider-0123456789-abcdefghij"
ODD_SECRET = 'p@ss "wörd"/+? \\ <&>'
KEY = (
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxX\nq83Wz/+Y\nab=\n"
    "-----END PRIVATE KEY-----\n"
)
# Of what the neighbours are: characters that Base64 and addresses are made of, and others.
NEIGHBOURS = "aZ09+/_-=%. \"'\\"
PIECE_CHARACTERS = 16


def lower_escapes(text):
    return re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe=""))


def escaping(characters, *, upper=False, only_ascii=False):
    """An encoder of JSON that escapes these characters, too."""

    def escape(character):
        code = f"\\u{ord(character):04x}"
        escaped = code if character in characters else json.dumps(character, ensure_ascii=only_ascii)[1:-1]
        return re.sub(r"(?<=\\u)....", lambda digits: digits[0].upper(), escaped) if upper else escaped

    return lambda text: "".join(map(escape, text))


def in_json(escape):
    return lambda text: json.dumps(escape(text))[1:-1]


GO = escaping("<>&\u2028\u2029")
GSON = escaping("<>&='\u2028\u2029")
DOTNET = escaping("<>&'+`\"", upper=True, only_ascii=True)


def php(text):
    return json.dumps(text)[1:-1].replace("/", "\\/")


ESCAPES = {
    "plain": str,
    "address": quote,
    "whole address": lambda text: quote(text, safe=";,/?:@&=+$-_.!~*'()#"),
    "address, every special": lambda text: quote(text, safe=""),
    "address, component": lambda text: quote(text, safe="!~*'()"),
    "address, lower": lower_escapes,
    "address, every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "address, every byte, lower": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "form": quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON of Go": GO,
    "JSON of Go, upper": escaping("<>&\u2028\u2029", upper=True),
    "JSON of Go in JSON": in_json(GO),
    "JSON of Gson": GSON,
    "JSON of Gson in JSON": in_json(GSON),
    "JSON of .NET": DOTNET,
    "JSON of .NET in JSON": in_json(DOTNET),
    "JSON of PHP": php,
    "JSON of PHP in JSON": in_json(php),
}
CODES = {
    "Base64": (lambda data: base64.b64encode(data).decode(), 6),
    "Base64, URL-safe": (lambda data: base64.urlsafe_b64encode(data).decode(), 6),
    "hexadecimal": (lambda data: data.hex(), 4),
    "hexadecimal, upper": (lambda data: data.hex().upper(), 4),
}


def hiding(*secrets):
    redactor = Redactor()
    redactor.hide(*secrets)
    return redactor


def read(redactor, data, *, blocks, longest):
    """The lines of the data that comes in blocks of these sizes, again and again."""
    splitter = LineSplitter(redactor, longest)
    ends = [0]
    while ends[-1] < len(data):
        ends.append(ends[-1] + blocks[(len(ends) - 1) % len(blocks)])
    lines = [line for start, end in pairwise(ends) for line in splitter.feed(data[start:end])]
    return [*lines, *splitter.finish()]


def noise(seed, size):
    return "".join(random.Random(seed).choices(NEIGHBOURS, k=size))  # noqa: S311 not for secrecy


def pieces(text):
    """Every piece of it that is long enough to be hidden; a shorter text is one piece."""
    return {text[start : start + PIECE_CHARACTERS] for start in range(max(1, len(text) - PIECE_CHARACTERS + 1))}


def share(code, before, secret, after, bits):
    """The characters of the encoded whole that the secret alone decides."""
    return code[-(-len(before) * 8 // bits) : (len(before) + len(secret)) * 8 // bits] if before or after else code


secrets = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=11, max_size=70)
sizes = st.lists(st.integers(1, 300), min_size=1, max_size=4)
anywhere = {
    "secret": secrets,
    "others": st.lists(secrets, max_size=2),
    "seed": st.integers(0, 1_000_000),
    "before": st.integers(0, 1_500),
    "after": st.integers(0, 1_500),
    "blocks": sizes,
    "longest": st.integers(1, 200),
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
@EXAMPLES
@given(**anywhere)
def test_an_escaped_secret_is_never_shown(escape, secret, others, seed, before, after, blocks, longest):
    text = noise(seed, before) + escape(secret) + noise(seed + 1, after)
    shown = "".join(read(hiding(*others, secret), text.encode(), blocks=blocks, longest=longest))
    assert escape(secret) not in shown


@pytest.mark.parametrize(("encode", "bits"), CODES.values(), ids=CODES)
@EXAMPLES
@given(**anywhere, offset=st.integers(0, 5), following=st.integers(0, 5))
def test_an_encoded_secret_is_never_shown(
    encode, bits, secret, others, seed, before, after, blocks, longest, offset, following
):
    data, around = secret.encode(), noise(seed, 20).encode()
    code = encode(around[:offset] + data + around[:following])
    text = noise(seed, before) + code + noise(seed + 1, after)
    shown = "".join(read(hiding(*others, secret), text.encode(), blocks=blocks, longest=longest))
    hidden = share(code, around[:offset], data, around[:following], bits)
    assert not [piece for piece in pieces(hidden) if piece in shown]


@pytest.mark.parametrize(("encode", "bits"), CODES.values(), ids=CODES)
@EXAMPLES
@given(secret=secrets, offset=st.integers(0, 100), width=st.sampled_from([60, 64, 76]), blocks=sizes)
def test_long_pieces_of_an_encoded_secret_are_hidden_wherever_its_lines_break(
    encode, bits, secret, offset, width, blocks
):
    data, around = secret.encode(), noise(7, 100).encode()
    code = encode(around[:offset] + data + around)
    text = "\n".join(textwrap.wrap(code, width, break_on_hyphens=False))
    lines = read(hiding(secret), text.encode(), blocks=blocks, longest=8192)
    hidden = share(code, around[:offset], data, around, bits)
    assert not [piece for piece in pieces(hidden) if any(piece in line for line in lines)]


@EXAMPLES
@given(seed=st.integers(0, 1_000_000), blocks=sizes, line_end=st.sampled_from(["\n", "\r\n", "\\n", "\n    "]))
def test_each_long_line_of_a_secret_of_several_lines_is_hidden(seed, blocks, line_end):
    text = noise(seed, 100) + KEY.replace("\n", line_end) + noise(seed, 100)
    shown = "".join(read(hiding(KEY), text.encode(), blocks=blocks, longest=8192))
    assert not [line for line in KEY.split("\n") if len(line) >= 8 and line in shown]


@EXAMPLES
@given(seed=st.integers(0, 1_000_000), size=st.integers(0, 3_000), blocks=sizes, longest=st.integers(1, 200))
def test_other_text_passes_unchanged(seed, size, blocks, longest):
    text = noise(seed, size)
    assert "".join(read(hiding(SECRET, KEY), text.encode(), blocks=blocks, longest=longest)) == text


def test_a_line_after_a_long_one_begins_anew():
    assert read(hiding(SECRET), b"x" * 1_000 + b"\nnext", blocks=[7], longest=600) == ["x" * 600, "x" * 400, "next"]


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
def test_only_the_secret_is_hidden(escape):
    assert hiding(ODD_SECRET).redact(f"before {escape(ODD_SECRET)} after") == f"before {REPLACEMENT} after"


@pytest.mark.parametrize(
    "text",
    [
        r"postgres://user:pa\u0026ss\u003cword\u003e@db/x?a=1\u0026b=2",
        r"postgres://user:pa\u0026ss\u003Cword\u003E@db/x?a=1\u0026b=2",
        r"postgres://user:pa\\u0026ss\\u003cword\\u003e@db/x?a=1\\u0026b=2",
        r"postgres://user:pa\u0026ss\u003cword\u003e@db/x?a\u003d1\u0026b\u003d2",
        r"postgres:\/\/user:pa&ss<word>@db\/x?a=1&b=2",
        r"postgres:\\/\\/user:pa&ss<word>@db\\/x?a=1&b=2",
    ],
)
def test_an_address_with_a_password_is_hidden_as_each_language_writes_json(text):
    assert hiding("postgres://user:pa&ss<word>@db/x?a=1&b=2").redact(f'"{text}"') == f'"{REPLACEMENT}"'


@pytest.mark.parametrize("secret", [SECRET, SECRET + "k", SECRET + "kl"])
@pytest.mark.parametrize(("encode", "bits"), CODES.values(), ids=CODES)
def test_of_an_encoded_text_only_the_secret_is_hidden(encode, bits, secret):
    shown = hiding(secret).redact(f"key={encode(secret.encode()).rstrip('=')};")
    assert shown == f"key={REPLACEMENT};"


def test_what_lies_around_a_secret_in_base64_is_shown():
    code = base64.b64encode(f"user-1:{SECRET}:host".encode()).decode()
    assert hiding(SECRET).redact(code) == f"{code[:10]}{REPLACEMENT}{code[-7:]}"


def test_secrets_that_overlap_are_both_hidden():
    assert hiding("first-and-second", "second-and-third").redact("a first-and-second-and-third b") == "a [redacted] b"


def test_a_secret_that_overlaps_itself_is_hidden_whole():
    assert hiding("abcab").redact("abcabcab") == REPLACEMENT


def test_a_secret_that_overlaps_another_across_two_blocks_is_hidden():
    redactor = hiding("first-and-second", "second-and-third")
    data = b"x" * 200 + b"first-and-second-and-third" + b"x" * 200
    shown = {"".join(read(redactor, data, blocks=[size, 1_000], longest=10)) for size in range(1, 300)}
    assert shown == {"x" * 200 + "[redacted]" + "x" * 200} | {"x" * 200 + "[redacted]" * 2 + "x" * 200}


def test_a_line_of_a_secret_is_hidden_however_it_is_indented():
    secret = '{\n  "key": "0123456789"\n}\n'
    assert hiding(secret).redact('{"key": "0123456789"}') == "{[redacted]}"


def test_a_secret_of_short_lines_alone_is_hidden_when_its_lines_come_one_by_one():
    data = b"first-1\nabc\nlast-2\n"
    assert read(hiding("first-1\nabc\nlast-2"), data, blocks=[8], longest=8192) == [REPLACEMENT, "abc", REPLACEMENT]


def test_a_short_line_beside_longer_ones_is_no_secret_by_itself():
    assert hiding("a-long-line\nshort").redact("a-long-line, short") == f"{REPLACEMENT}, short"


def test_a_secret_of_several_lines_leaves_as_many_lines():
    assert hiding(KEY).redact(f"a\n{KEY}b") == "a\n" + "[redacted]\n" * 5 + "b"


def test_the_line_end_of_a_secret_is_no_part_of_it():
    assert hiding("hunter2\n").redact("it is hunter2.") == "it is [redacted]."


@pytest.mark.parametrize("secret", ["", "abc", " \n ", "abc\n"])
def test_a_secret_that_is_too_short_hides_nothing(secret):
    assert hiding(secret).redact("abc YWJj 616263 \n 200a20") == "abc YWJj 616263 \n 200a20"


@pytest.mark.parametrize("text", ["abcd", "61626364", "%61%62%63%64", "YWJjZA==", "eGFiY2Q=", "eHhhYmNk"])
def test_the_shortest_secret_is_hidden_in_every_spelling(text):
    assert REPLACEMENT in hiding("abcd").redact(text)


@pytest.mark.parametrize("around", [("", "~~"), ("~", "~"), ("~~", "~")])
def test_the_shortest_secret_is_hidden_inside_base64(around):
    code = base64.b64encode("abcd".join(around).encode()).decode()
    assert REPLACEMENT in hiding("abcd").redact(code)


def test_nothing_is_hidden_before_a_secret_is_known():
    redactor = Redactor()
    assert (redactor.redact(SECRET), redactor.longest) == (SECRET, 0)


def test_secrets_that_come_later_are_hidden_beside_the_first():
    redactor = hiding(SECRET)
    redactor.hide("another-secret")
    assert redactor.redact(f"{SECRET} another-secret") == f"{REPLACEMENT} {REPLACEMENT}"


def test_a_surrogate_in_a_secret_does_no_harm():
    assert hiding("secret-\ud800-text").redact("secret-\ud800-text") == REPLACEMENT
