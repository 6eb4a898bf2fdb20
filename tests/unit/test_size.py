import pytest

from outpost.domain.agents import AGENTS, SIZES, Tier
from outpost.domain.size import Size, SizeUnknown

USUAL = Size(1_024, 4_096)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ((None, None, None), USUAL),
        ((2_048, None, None), Size(2_048, 4_096)),
        ((4_096, None, None), Size(4_096, 8_192)),
        ((256, None, None), Size(256, 512)),
        ((None, 8_192, None), Size(1_024, 8_192)),
        ((None, 16_384, None), Size(2_048, 16_384)),
        ((None, 512, None), Size(256, 512)),
        ((8_192, 20_480, 200), Size(8_192, 20_480, 200)),
        ((None, None, 21), USUAL),
    ],
)
def test_what_is_not_asked_for_follows(asked, size):
    assert USUAL.changed(*asked) == size


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((1_000, None, None), "cpuUnits must be one of 256, 512, 1024"),
        ((256, 4_096, None), "memoryMb must be one of 512, 1024, 2048 with 256 cpuUnits"),
        ((None, 1_000, None), "memoryMb must be one of 2048, "),
        ((8_192, 17_408, None), "memoryMb must be one of 16384, 20480"),
        ((None, None, 20), "diskGb must be from 21 to 200"),
        ((None, None, 201), "diskGb must be from 21 to 200"),
    ],
)
def test_a_size_that_fargate_has_not_is_refused_with_those_that_it_has(asked, message):
    with pytest.raises(SizeUnknown, match=message):
        USUAL.changed(*asked)


@pytest.mark.parametrize("tier", Tier)
def test_every_tiers_size_is_one_that_fargate_has(tier):
    size = SIZES[tier]
    assert size.changed(size.cpu_units, size.memory_mb, size.disk_gb) == size


def test_an_agents_model_says_how_large_its_compute_is():
    assert AGENTS["claude"].size("claude-haiku-4-5-20251001") == SIZES[Tier.FAST]
    assert AGENTS["claude"].size("claude-opus-4-5-20251101") == SIZES[Tier.FLAGSHIP]


def test_an_agent_without_a_model_has_a_size_of_its_own():
    assert AGENTS["shell"].size("none") == Size(256, 512)
