"""Which flavours of electrons pair with which of the holes."""

from __future__ import annotations

from dataclasses import dataclass

from ehbilayer.errors import InputError
from ehbilayer.torus import Channel, Torus


@dataclass(frozen=True)
class Sector:
    """One determinant: of electrons and particle-hole transformed holes, or of flavours that do not pair.

    channel : its components and their signs.   counts : particles of each component, per flavour.
    labels : what each component is called.   sources : which of `Torus.channels` each one is of.
    """

    channel: Channel
    counts: tuple[int, ...]
    labels: tuple[str, ...]
    sources: tuple[int, ...]

    @property
    def paired(self) -> bool:
        """Whether it is of electrons and holes."""
        return len(self.counts) == 2


@dataclass
class _Group:
    """Flavours of one carrier with equal numbers that share orbitals, as far as they are not given away."""

    channel: Channel
    source: int
    flavours: int

    def label(self, paired: bool) -> str:
        """That of the channel; where one of two flavours is meant, as unrestricted ones are called."""
        if self.flavours == self.channel.degeneracy:
            return self.channel.label
        words = ("down", "up") if self.channel.degeneracy == 2 else ("alone", "paired")
        return f"{self.channel.label} {words[paired]}"


def sectors(torus: Torus) -> tuple[Sector, ...]:
    """Every flavour of the holes with one of the electrons, of equal number where there is one; the rest alone.

    Raises InputError unless there are electrons and holes.
    """
    groups: dict[int, list[_Group]] = {-1: [], 1: []}
    for source, channel in enumerate(torus.channels):
        groups[torus.species[channel.species].charge].append(_Group(channel, source, channel.degeneracy))
    electrons, holes = groups[-1], groups[1]
    if not electrons or not holes:
        raise InputError("pairing", "false where there are no electrons or no holes", True, "leave it out")
    found = []
    for hole in holes:
        while hole.flavours and (free := [e for e in electrons if e.flavours]):
            # the flavour with the nearest number of particles, the first of those
            found.append(_pair(min(free, key=lambda e: abs(e.channel.orbitals - hole.channel.orbitals)), hole))
    for g in (*electrons, *holes):
        if g.flavours:
            c = g.channel
            channel = Channel(g.label(False), c.components, c.orbitals, g.flavours)
            found.append(Sector(channel, (c.orbitals,), (channel.label,), (g.source,)))
    return tuple(found)


def _pair(electron: _Group, hole: _Group) -> Sector:
    """A sector of as many flavours as both have left, which it takes away from them."""
    flavours, labels = min(electron.flavours, hole.flavours), []
    for group in (electron, hole):
        part = _Group(group.channel, group.source, flavours)
        labels.append(part.label(True))
        group.flavours -= flavours
    counts = electron.channel.orbitals, hole.channel.orbitals
    components = electron.channel.species, hole.channel.species
    return Sector(Channel(" + ".join(labels), components, sum(counts), flavours, (1, -1)), counts, tuple(labels),
                  (electron.source, hole.source))
