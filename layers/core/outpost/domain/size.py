"""The size of a run's compute: what Fargate offers, and what of it an unfinished wish comes to.

Source: Amazon ECS Developer Guide, "Task definition parameters for Fargate", task size and ephemeral storage.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

DISK_GB = 21
MOST_DISK_GB = 200
_GIBIBYTE = 1_024
# Memory in MiB by CPU units: 1,024 units are one virtual CPU.
_MEMORY_MB: dict[int, tuple[int, ...]] = {
    256: (512, 1_024, 2_048),
    512: tuple(range(1_024, 4_096 + 1, _GIBIBYTE)),
    1_024: tuple(range(2_048, 8_192 + 1, _GIBIBYTE)),
    2_048: tuple(range(4_096, 16_384 + 1, _GIBIBYTE)),
    4_096: tuple(range(8_192, 30_720 + 1, _GIBIBYTE)),
    8_192: tuple(range(16_384, 61_440 + 1, 4 * _GIBIBYTE)),
    16_384: tuple(range(32_768, 122_880 + 1, 8 * _GIBIBYTE)),
}


class Architecture(StrEnum):
    """The processor that a run's compute has."""

    ARM64 = "ARM64"
    X86_64 = "X86_64"


class SizeUnknown(Exception):
    """Fargate has no such size; the message says which come near."""


@dataclass(frozen=True)
class Size:
    """CPU in units of 1/1,024 virtual CPU of the architecture, memory in MiB, disk in GiB."""

    cpu_units: int
    memory_mb: int
    disk_gb: int = DISK_GB
    architecture: Architecture = Architecture.ARM64

    def changed(self, cpu_units: int | None, memory_mb: int | None, disk_gb: int | None) -> "Size":
        """The size with what was asked for; what was not asked for follows where it has to. Raises SizeUnknown."""
        cpu = cpu_units or self._cpu_for(memory_mb)
        if cpu not in _MEMORY_MB:
            raise SizeUnknown(f"cpuUnits must be one of {', '.join(map(str, _MEMORY_MB))}")
        memory = memory_mb or self._memory_for(cpu)
        if memory not in _MEMORY_MB[cpu]:
            raise SizeUnknown(f"memoryMb must be one of {', '.join(map(str, _MEMORY_MB[cpu]))} with {cpu} cpuUnits")
        disk = disk_gb or self.disk_gb
        if not DISK_GB <= disk <= MOST_DISK_GB:
            raise SizeUnknown(f"diskGb must be from {DISK_GB} to {MOST_DISK_GB}")
        return replace(self, cpu_units=cpu, memory_mb=memory, disk_gb=disk)

    def _cpu_for(self, memory_mb: int | None) -> int:
        """The own CPU if it goes with the memory, else the smallest that does."""
        if memory_mb is None or memory_mb in _MEMORY_MB[self.cpu_units]:
            return self.cpu_units
        return next((cpu for cpu, memories in _MEMORY_MB.items() if memory_mb in memories), self.cpu_units)

    def _memory_for(self, cpu: int) -> int:
        return self.memory_mb if self.memory_mb in _MEMORY_MB[cpu] else _MEMORY_MB[cpu][0]
