"""The circuit of a run as tables for a reader: cells, modulators, receptors, wiring, inputs, space.

In: a circuit. Out: rows of `Said`, which a page prints with the marks of their sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.reporting.effects import symbol
from neostriatum.reporting.phrases import Said, amount, course, number, printed_unit, said

if TYPE_CHECKING:
    from neostriatum.circuit.cell import Cell
    from neostriatum.circuit.model import Circuit

_MEANINGS = {
    "fraction": "fraction of the neurons", "C": "capacitance", "k": "slope of the quadratic",
    "v_r": "resting potential", "v_t": "threshold of the quadratic", "v_peak": "a spike is cut at",
    "a": "rate of recovery", "b": "gain of recovery", "c": "reset of v",
    "d": "step of u at a spike", "v_b": "recovery acts above", "I_spon": "spontaneous current",
}
#: What the quadratic cells share, under the name of the first.
_FAMILY = {"izhikevich_fs": "izhikevich"}


def cells(circuit: Circuit) -> list[dict[str, Any]]:
    """Return a row per cell parameter: symbol, meaning, unit, and what each type has.

    Types whose models have the same parameters share rows; the meaning is that of quadratic cells,
    or the name of the model.
    """
    types = circuit.types
    rows = [{"symbol": "", "meaning": _MEANINGS["fraction"], "unit": "",
             "values": [said(circuit.cells[name].fraction) for name in types]}]
    families: dict[str, list[str]] = {}
    for name in types:
        model = circuit.cells[name].declaration.name
        families.setdefault(_FAMILY.get(model, model), []).append(name)
    for family, members in families.items():
        rows += _parameters(circuit, family, members)
    models = [Said(_spelled(circuit.cells[name])) for name in types]
    rows.append({"symbol": "u′", "meaning": "rule of recovery", "unit": "", "values": models}
                if list(families) == ["izhikevich"] else
                {"symbol": "", "meaning": "model", "unit": "", "values": models})
    if circuit.noise:
        rows.append({"symbol": "σ", "meaning": "noise on v", "unit": "mV per √ms", "values": [
            said(circuit.noise[name], unit=False) if name in circuit.noise else None
            for name in types]})
    return rows


def _spelled(cell: Cell) -> str:
    """Return the rule of a quadratic cell, or the model of another."""
    model = cell.declaration.name
    return {"izhikevich": "linear", "izhikevich_fs": "cubic"}.get(model, model)


def _parameters(circuit: Circuit, family: str, members: list[str]) -> list[dict[str, Any]]:
    """Return a row per parameter of the types of one family of models."""
    rows = []
    for key in _symbols(circuit, members):
        of = {name: getattr(circuit.cells[name].parameters, key, None) if name in members else None
              for name in circuit.types}
        given = [value for value in of.values() if value is not None]
        if not any(value.value or value.source for value in given):
            continue  # a current that no type has
        units = {printed_unit(value.unit) for value in given}
        same = len(units) == 1
        rows.append({
            "symbol": key, "meaning": _MEANINGS[key] if family == "izhikevich" else family,
            "unit": units.pop() if same else "",
            "values": [None if value is None else said(value, unit=not same)
                       for value in of.values()]})
    return rows


def _symbols(circuit: Circuit, members: list[str]) -> list[str]:
    """Return the names of the parameters of cell types, the optional ones last."""
    every = {one.name: one for name in members
             for one in circuit.cells[name].declaration.parameters}
    return sorted(every, key=lambda name: every[name].default is not None)


def receptors(circuit: Circuit) -> list[dict[str, Any]]:
    """Return a row per receptor: name, reversal, decay, magnesium, model and what else it has."""
    rows = []
    for name, one in circuit.receptors.items():
        given = {parameter.name: value for parameter in one.declaration.parameters
                 if (value := getattr(one, parameter.name, None)) is not None}
        columns = {key: said(given.pop(key)) if key in given else None
                   for key in ("E", "tau", "magnesium")}
        further = [_prefixed(f"{key} ", said(value)) for key, value in given.items()]
        if one.model is not None or given:
            further.insert(0, Said(one.declaration.name))
        rows.append({"name": name, **columns, "more": further})
    return rows


def wiring(circuit: Circuit) -> list[dict[str, Any]]:
    """Return a row per pathway and kind of gap junction: conductance, delay, rule, the rest."""
    rows = []
    for name, one in circuit.pathways.items():
        delay = said(one.delay.offset)
        if one.delay.velocity is not None:
            delay = Said(f"{delay.text} + distance at "
                         f"{amount(one.delay.velocity.value, 'um/ms')}",
                         _changed(one.delay.velocity) or delay.source, delay.how, delay.note)
        rows.append({"name": name.replace("->", " → "), "conductance": _conductance(one),
                     "delay": delay, "rule": _rule(one.wiring), "more": _more(one)})
    for name, kind in circuit.gap_junctions.items():
        tau = [Said(f"node, τ {amount(kind.tau.value, 'ms')}", kind.tau.source)] if kind.tau else []
        rows.append({"name": f"{name.replace('-', ' – ')} gap",
                     "conductance": [said(kind.conductance)], "delay": None,
                     "rule": _rule(kind.wiring), "more": tau})
    return rows


def _conductance(one: Any) -> list[Said]:
    return [Said(f"{receptor} {amount(value.value, value.unit)}", value.source, value.how,
                 value.note) for receptor, value in one.conductance.items()]


def _rule(one: Any) -> list[Said]:
    if one.rule == "humphries2010":
        return [Said(f"distance law {one.connection}", "humphries2010"),
                Said(f"× {number(one.scale.value)}, to {amount(one.range.value, 'um')}",
                     _changed(one.scale, one.range) or one.scale.source, one.scale.how,
                     one.scale.note)]
    if one.rule == "pairwise":
        return [Said(f"p {number(at.p.value)} below {amount(at.below.value, 'um')}", at.p.source,
                     at.p.how, at.p.note) for at in one.bins]
    if one.rule == "fixed_probability":
        return [Said(f"p {number(one.p.value)} for every pair", one.p.source, one.p.how,
                     one.p.note)]
    if one.rule == "measured":
        return [Said(f"measured pairs, table {one.table}")]
    within = "" if one.within is None else f" within {amount(one.within.value, 'um')}"
    if one.nearest is not None:
        within = f" of the {one.nearest:,} nearest"
    return [Said(f"{one.n:,} sources each{within}{' in its channel' if one.same_channel else ''}")]


def _changed(*values: Any) -> str | None:
    """Return the mark of a change where one of several numbers in a text was changed."""
    return "override" if any(value.source == "override" for value in values) else None


def _more(one: Any) -> list[Said]:
    found = []
    if one.stp is not None and one.stp.declaration.name != "tsodyks_markram":
        found.append(Said(one.stp.declaration.name))
        found += [_prefixed(f"{parameter.name} ", said(value))
                  for parameter in one.stp.declaration.parameters
                  if (value := getattr(one.stp, parameter.name)) is not None]
    elif one.stp is not None:
        stp = one.stp
        found.append(Said(f"Tsodyks–Markram: U {number(stp.U.value)}, τ of recovery "
                          f"{amount(stp.tau_rec.value, 'ms')}, of facilitation "
                          f"{amount(stp.tau_fac.value, 'ms')}",
                          _changed(stp.tau_rec, stp.tau_fac) or stp.U.source, stp.U.how,
                          stp.U.note))
    for effect in one.effects:
        factor = effect.coefficient
        heard = effect.level if effect.curve is None else (
            f"h({effect.level}), half {number(effect.curve.half.value)}, order "
            f"{number(effect.curve.order.value)}")
        found.append(Said(f"weight × (1 {'+' if factor.value >= 0 else '−'} "
                          f"{number(abs(factor.value))} {heard}) over that at its reference",
                          factor.source, factor.how, factor.note))
    if one.weight_cv is not None:
        found.append(Said(f"weights vary, CV {number(one.weight_cv.value)}",
                          one.weight_cv.source, one.weight_cv.how, one.weight_cv.note))
    if one.weight_spread is not None:
        found.append(Said(f"weights spread evenly, ± {one.weight_spread.value:.0%}",
                          one.weight_spread.source, one.weight_spread.how,
                          one.weight_spread.note))
    if one.failure is not None:
        p = one.failure.probability
        how = "drawn per spike" if one.failure.drawn else "folded into the weight"
        found.append(Said(f"fails with p {number(p.value)}, {how}", p.source, p.how, p.note))
    return found


def inputs(circuit: Circuit) -> list[dict[str, Any]]:
    """Return a row per input and cell type: what arrives, through which synapses, where."""
    rows = []
    for name, entry in circuit.inputs.items():
        for cell, one in entry.targets.items():
            rows.append({"name": name, "type": cell, "what": _arrives(one),
                         "conductance": _conductance(one) if one.conductance else [],
                         "channel": one.channel})
    return rows


def _arrives(one: Any) -> list[Said]:
    if one.current is not None:
        return [_prefixed("current ", course(one.current))]
    if one.spikes is not None:
        return [Said(f"recorded spikes of {one.spikes.file}")]
    found = [_prefixed(f"{one.afferents:,} afferents at ", course(one.rate))]
    if one.shared_trains is not None:
        found.append(Said(f"drawn from {one.shared_trains:,} shared trains"))
    if one.process != "poisson":
        found.append(Said(one.process))
    for key in ("within", "between"):
        value = getattr(one.correlation, key)
        if value.value:
            found.append(Said(f"correlation {key} {number(value.value)}", value.source, value.how,
                              value.note))
    return found


def _prefixed(text: str, what: Said) -> Said:
    return Said(text + what.text, what.source, what.how, what.note)


def space(circuit: Circuit) -> list[tuple[str, Said]]:
    """Return what the volume and the clock are, as pairs of name and value."""
    volume = circuit.volume
    shape = f"{volume.boundary} {volume.shape}" + (f" of {volume.file}" if volume.file else "")
    rows = [("volume", Said(shape)), ("density", said(volume.density)),
            ("minimum distance", said(volume.minimum_distance))]
    if volume.thickness is not None:
        rows.append(("thickness", said(volume.thickness)))
    return [*rows, ("time step", said(circuit.dt)), ("warm-up, not recorded", said(circuit.warmup)),
            *(row for name, one in circuit.modulators.items() for row in _levels(name, one))]


def _levels(name: str, modulator: Any) -> list[tuple[str, Said]]:
    """Return the level of a modulator, and those of its regions."""
    label = f"dopamine, {name} {symbol(name)}" if name in DOPAMINE else name
    return [(label, _level(modulator)), *((f"{label} in {region}", course(level))
                                          for region, level in modulator.regions.items())]


def _level(modulator: Any) -> Said:
    """Return the time course of a level, or how it is computed."""
    if modulator.level is not None:
        return course(modulator.level)
    if modulator.follows is not None:
        return Said(f"follows {modulator.follows}, τ {amount(modulator.tau.value, 'ms')}",
                    modulator.tau.source, modulator.tau.how, modulator.tau.note)
    if modulator.occupied_by is not None:
        return Said(f"occupied by {modulator.occupied_by}, EC50 "
                    f"{amount(modulator.ec50.value, 'nM')}", modulator.ec50.source,
                    modulator.ec50.how, modulator.ec50.note)
    if modulator.uptake is not None:
        v_max = modulator.uptake.v_max
        return Said(f"concentration, uptake at most {amount(v_max.value, 'nM/s')}", v_max.source,
                    v_max.how, v_max.note)
    return Said(f"released by {modulator.released_by}, τ {amount(modulator.tau.value, 'ms')}",
                modulator.tau.source, modulator.tau.how, modulator.tau.note)
