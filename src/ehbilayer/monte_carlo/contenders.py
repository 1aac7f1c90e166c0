"""Who competes by Monte Carlo: every candidate in every arrangement of spins that a trial function exists for.

Liquids need closed shells of each flavour, whose numbers are odd on a torus, so that one number of pairs never serves
one flavour and two: where spins compete, each arrangement takes the nearest number that serves it (13 and 14, 37 and
38), at the same density.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.monte_carlo.trial import ON_SITES, TRIALS, Twist, admitted, check_trial
from ehbilayer.numerics.lattice import reduce_vectors
from ehbilayer.phases.arrangements import spin_name
from ehbilayer.phases.sizes import resized
from ehbilayer.torus import Torus

NEARBY = 0.15  # how much more or fewer particles the box of another arrangement may hold
USUAL = {"all": (13, 7, 19, 31, 37), "given": (19, 14, 13, 26, 7, 38)}  # holes in a box, where nobody says how many
SPINS = ("all", "given")
ROUND = 0.95  # shortest distance of sites over that of the triangular lattice


@dataclass(frozen=True, eq=False)
class Contender:
    """A candidate in one arrangement of its spins: the name of its trial function and its torus."""

    name: str
    torus: Torus

    @property
    def arrangement(self) -> str:
        """How every carrier fills its flavours, in the words of `torus.Species`."""
        return ", ".join(f"{s.name}s {s.spin}" for s in self.torus.species if s.count)


@dataclass(frozen=True, eq=False)
class Field:
    """All that compete, and ``missing``: name and arrangement -> why it has no trial function."""

    contenders: tuple[Contender, ...]
    missing: dict[str, str]

    @property
    def sites(self) -> int:
        """Of the first box: holes, or electrons where there are none."""
        return self.contenders[0].torus.sites

    @property
    def names(self) -> list[str]:
        """Of the candidates, once each."""
        return list(dict.fromkeys(c.name for c in self.contenders))


def field_of(torus: Torus, names: Sequence[str] | None, spins: str, twists: Sequence[Twist | None] = (None,)) -> Field:
    """All contenders on a torus.

    Parameters
    ----------
    names : of trial functions; None for all that these carriers can form.
    spins : ``all`` arrangements compete, or the one ``given`` by the torus.
    twists : of those that have plane waves.

    Raises
    ------
    InputError : a name that has no trial function, or none in any arrangement that fits here; nothing that competes.
    """
    if spins not in SPINS:
        raise InputError("spins", " | ".join(SPINS), spins, "choose one of these")
    wrong = [n for n in names or () if n not in TRIALS]
    if wrong or (names is not None and not names):
        raise InputError("candidates", f"of {' | '.join(TRIALS)} by Monte Carlo", wrong[0] if wrong else [],
                         'leave it out, or compare it by method = "hartree-fock"')
    found: list[Contender] = []
    missing: dict[str, str] = {}
    reasons: dict[str, InputError] = {}
    asked = tuple(dict.fromkeys(names or _possible(torus)))
    for flavours in _flavours(torus, spins):
        here, errors = _best_box(torus, [n for n in asked if _worth(n, flavours)], flavours, twists)
        found += here
        for name, error in errors.items():
            missing[_words(torus, name, flavours)] = str(error)
            reasons.setdefault(name, error)
    found.sort(key=lambda c: asked.index(c.name))
    for name in names or ():
        if not any(c.name == name for c in found):
            raise reasons[name]
    if not found:
        raise InputError("holes", "a number with which a candidate has a trial function",
                         next(iter(missing.values()), torus.particles),
                         "take 7, 13, 19, 31 or 37 on a triangular torus")
    return Field(tuple(found), missing)


def fields_of(torus: Torus, names: Sequence[str] | None, spins: str, twists: Sequence[Twist | None],
              sizes: Sequence[int]) -> list[Field]:
    """`field_of` the torus and, smaller first, of boxes of other ``sizes`` (sites) at the same density.

    Raises InputError for a size that is not a whole one, and in which fewer than two candidates compete.
    """
    here = field_of(torus, names, spins, twists)
    found = [here]
    for sites in sorted(set(sizes) - {torus.sites}):
        found.append(field_of(resized(torus, sites), [*names] if names else None, spins, twists))
    return found


def usual_box(torus: Torus, spins: str, twists: Sequence[Twist | None] = (None,)) -> Torus:
    """The torus with the usual number of holes (of particles where there are none) with which something competes."""
    for count in USUAL[spins]:
        try:
            sized = _sized(torus, count)
            field_of(sized, None, spins, twists)
        except InputError:
            continue
        return sized
    return torus


def _possible(torus: Torus) -> tuple[str, ...]:
    present = {s.charge for s in torus.species if s.count}
    return TRIALS if present == {1, -1} else ("liquid", "crystal")


def _sized(torus: Torus, count: int) -> Torus:
    """The same density and ratio with other numbers; raises InputError where they are not whole."""
    return replace(torus, holes=None if torus.holes is None else count,
                   electrons=None if torus.electrons is None else count)


def _flavours(torus: Torus, spins: str) -> Iterator[dict[int, int]]:
    """Charge -> in how many flavours equally. Empty for the spins of the torus itself."""
    if spins == "given":
        yield {}
        return
    present = [s for s in torus.species if s.count]
    choices = [[p for p in range(1, s.flavours + 1) if s.flavours % p == 0] for s in present]
    for parts in product(*choices):
        yield dict(zip((s.charge for s in present), parts, strict=True))


def _worth(name: str, flavours: dict[int, int]) -> bool:
    """Whether an arrangement differs by more than exchange between sites, and has a partner for each of a pair."""
    if name == "condensate":
        return len(set(flavours.values())) < 2
    return all(flavours.get(charge, 1) == 1 for charge in ON_SITES.get(name, ()))


def _spun(torus: Torus, count: int, flavours: dict[int, int]) -> Torus:
    """With so many carriers in so many equal flavours of each charge. Raises InputError where they do not share."""
    if not flavours:
        return _sized(torus, count)
    polarised = _sized(replace(torus, electron_spin="polarized", hole_spin="polarized"), count)
    words = {1: "polarized", -1: "polarized"}
    for s in polarised.species:
        p = flavours.get(s.charge, 1)
        if s.count % p:
            raise InputError(f"{s.name}s", f"a multiple of {p} for {p} equal flavours", s.count, "change it")
        words[s.charge] = spin_name(s, (s.count // p,) * p)
    return replace(polarised, electron_spin=words[-1], hole_spin=words[1])


def _best_box(torus: Torus, names: Sequence[str], flavours: dict[int, int], twists: Sequence[Twist | None]
              ) -> tuple[list[Contender], dict[str, InputError]]:
    """Those of the candidates that fit into the box near the torus that serves most of them; why others do not."""
    given = torus.holes if torus.holes is not None else torus.electrons
    assert given is not None
    reach = int(NEARBY * given) if flavours else 0
    counts = sorted(range(given - reach, given + reach + 1), key=lambda n: (abs(n - given), n))
    tried = [[_contender(torus, name, count, flavours, twists) for name in names] for count in counts]
    best = max(tried, key=lambda row: sum(isinstance(one, Contender) for one in row))  # the first of equals
    return ([c for c in best if isinstance(c, Contender)],
            {name: c for name, c in zip(names, best, strict=True) if isinstance(c, InputError)})


def _contender(torus: Torus, name: str, count: int, flavours: dict[int, int],
               twists: Sequence[Twist | None]) -> Contender | InputError:
    """The contender with so many particles, or why it has no trial function."""
    try:
        here = _spun(torus, count, flavours)
        for twist in admitted(name, twists):
            check_trial(here, name, twist)
        if name in ON_SITES and not _triangular(here):
            raise InputError("holes", "a number of sites with which a triangular crystal fits the box", here.sites,
                             "take 7, 13, 19, 31 or 37 on a triangular torus")
    except InputError as error:
        return error
    return Contender(name, here)


def _triangular(torus: Torus) -> bool:
    """Whether the sites form a triangular lattice, or nearly: no crystal competes on a lattice that is not its own."""
    assert torus.lattice is not None
    cell = reduce_vectors(np.linalg.inv(torus.lattice) @ torus.box.vectors)[0]
    shortest = float(np.linalg.norm(cell, axis=1).min())
    return shortest / np.sqrt(torus.area / torus.sites) > ROUND * np.sqrt(2 / np.sqrt(3))


def _words(torus: Torus, name: str, flavours: dict[int, int]) -> str:
    """A candidate and in how many flavours its carriers are."""
    return ", ".join([name, *(f"{s.name}s in {flavours[s.charge]} flavour" + "s" * (flavours[s.charge] > 1)
                              for s in torus.species if s.charge in flavours)])
