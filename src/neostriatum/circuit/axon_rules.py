"""The rules that hold between axons and the rest of a circuit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn

from neostriatum.circuit.aliases import ALIASES, KNOWN
from neostriatum.circuit.axons import WIDEST
from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.errors import shown

if TYPE_CHECKING:
    from neostriatum.circuit.axons import Axons
    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import Pathway


def check_axons(circuit: Circuit) -> None:
    """Raise ValueError with the path and the rule if axons do not fit their circuit."""
    taken = {name.casefold(): name for name in (*ALIASES, *KNOWN, *circuit.cells)}
    for name, axons in circuit.axons.items():
        if name.casefold() in taken:
            _refuse("axons", "a name must not be that of a cell type or of other axons "
                    f"(got {shown(name)}, and {taken[name.casefold()]} is known)")
        if "_to_" in name or name.endswith("_gap"):
            _refuse("axons", f"a name must not hold _to_ nor end in _gap (got {shown(name)}), as "
                    "the names of edges in SONATA files do. Take another name")
        taken[name.casefold()] = name
        _check_rates(f"axons.{name}", axons, circuit.dt.value)
        for listed in axons.channels:
            _check_channel(f"axons.{name}.channels.{listed}", circuit, listed)
    for name, channel in circuit.channels.items():
        if channel.inside is not None:
            _check_channel(f"channels.{name}.inside", circuit, channel.inside)
        for cell in channel.of or ():
            if cell not in circuit.cells:
                _refuse(f"channels.{name}.of", f'unknown cell type (got "{shown(cell)}"). Known: '
                        f"{shown(', '.join(circuit.cells))}")
    for name, pathway in circuit.pathways.items():
        source = name.split("->")[0]
        if source in circuit.axons:
            _check_pathway(f"pathways.{name}", circuit.axons[source], pathway)
        else:
            _check_cells(f"pathways.{name}", pathway)
            _check_channels(circuit, name, pathway)
    for cell in circuit.cells:
        total = sum(one.share.value for one in circuit.channels.values()
                    if one.share is not None and cell in (one.of or ()))
        if total > 1 + 1e-6:
            _refuse("channels", f"shares of {cell} must sum to at most 1 (got {total:.7g})")


def _check_rates(where: str, axons: Axons, dt: float) -> None:
    for name, course in axons.courses.items():
        if course is None:
            continue
        place = f"{where}.rate" if name is None or not axons.channels[name].rate else (
            f"{where}.channels.{name}.rate")
        if course.highest * dt / 1000 > 1:
            _refuse(place, f"must be at most one event per step (got {course.highest:g} Hz)")
        if axons.slow is not None:
            sd = axons.slow.sd.value
            widest = course.highest * math.exp(WIDEST * sd - sd * sd / 2)
            if widest * dt / 1000 > 1:
                _refuse(f"{where}.slow.sd", f"must keep the rate at {WIDEST:g} standard deviations "
                        f"at or below one event per step (got {widest:.4g} Hz). Lower it")


def _check_channel(where: str, circuit: Circuit, channel: str) -> None:
    if channel not in circuit.channels:
        known = ", ".join(circuit.channels) or "none"
        _refuse(where, f'unknown channel (got "{shown(channel)}"). Known: {shown(known)}')
    if circuit.channels[channel].share is None:
        _refuse(where, "must be a channel with share and of, which divide the cells")


def _check_pathway(where: str, axons: Axons, pathway: Pathway) -> None:
    wiring = pathway.wiring
    if (not isinstance(wiring, FixedIndegree) or wiring.within is not None
            or wiring.nearest is not None):
        rule = f"{wiring.rule} within a distance" if isinstance(wiring, FixedIndegree) else (
            wiring.rule)
        _refuse(f"{where}.wiring.rule", "must be fixed_indegree without within, as axons have no "
                f"positions (got {rule})")
    if pathway.delay.velocity is not None:
        _refuse(f"{where}.delay.velocity", "must not be given, as axons have no positions")
    if axons.size is not None and wiring.n > axons.size:
        _refuse(f"{where}.wiring.n", f"must be at most the axons (got {wiring.n} of {axons.size})")
    if not axons.identity:
        _check_pooled(where, pathway)
    home = wiring.home
    groups = 1 if axons.groups is None and axons.groups_per_mm3 is None else axons.groups
    if home is not None and groups is not None and home.groups > groups:
        _refuse(f"{where}.wiring.home.groups", "must be at most the groups of the axons "
                f"(got {home.groups} of {groups})")
    if wiring.same_channel and not axons.channels:
        _refuse(f"{where}.wiring.same_channel", "needs axons with channels (they have none)")
    if pathway.stp is not None and pathway.stp.start_rate is not None:
        _refuse(f"{where}.stp.start_rate", "must not be given, as the axons have a rate")
    if (pathway.stp is not None and pathway.stp.start == "stationary"
            and axons.recorded is not None):
        _refuse(f"{where}.stp.start", "must be rested, as recorded trains have no known rate")


def _check_pooled(where: str, pathway: Pathway) -> None:
    if pathway.weight_cv is not None and pathway.weight_cv.value > 0:
        _refuse(f"{where}.weight_cv", "must be 0, as axons without identity have no synapses of "
                f"their own (got {pathway.weight_cv.value:g})")
    for key, entry in (("weight_spread", pathway.weight_spread),
                       ("delay.spread", pathway.delay.spread)):
        if entry is not None:
            _refuse(f"{where}.{key}", "must not be given, as axons without identity have no "
                    f"synapses of their own (got {entry.value:g})")
    if pathway.failure is not None and pathway.failure.drawn:
        _refuse(f"{where}.failure.drawn", "must be false for axons without identity (got true)")


def _check_cells(where: str, pathway: Pathway) -> None:
    wiring, stp = pathway.wiring, pathway.stp
    if isinstance(wiring, FixedIndegree) and wiring.home is not None:
        _refuse(f"{where}.wiring.home", "is of pathways whose source is axons")
    if stp is not None and (stp.start == "stationary") != (stp.start_rate is not None):
        _refuse(f"{where}.stp.start_rate", 'must be given with start = "stationary" where the '
                "source is cells, and only there")


def _check_channels(circuit: Circuit, name: str, pathway: Pathway) -> None:
    """Refuse a pathway within channels between types that do not share theirs."""
    if not getattr(pathway.wiring, "same_channel", False):
        return
    mine = [tuple(key for key, channel in circuit.channels.items() if end in (channel.of or ()))
            for end in name.split("->")]
    if not mine[0] or mine[0] != mine[1]:
        source, target = (", ".join(channels) or "none" for channels in mine)
        _refuse(f"pathways.{name}.wiring.same_channel", "needs source and target in the same "
                f"channels, which have of and share (got {shown(source)} and {shown(target)})")


def _refuse(where: str, rule: str) -> NoReturn:
    msg = f"{where}: {rule}"
    raise ValueError(msg)
