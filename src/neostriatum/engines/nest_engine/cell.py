"""The text of a cell model in NESTML, from its form alone.

A step is design.md, section 4: `onReceive` blocks add what arrives, then `onCondition` does the
rest, in the order of that section. Every number is a parameter, set from Python. NESTML gives a
weight as 0.001 per ms; `unit` makes it whole again, and rounding to the `grain` of all weights
makes it exact, so that the order of arrivals cannot matter. Time courses come as spikes whose
weight is the new value (of a current, its change): NESTML 9 reads one continuous input only beside
gap junctions. A cell whose potential left its range stands still and fires at every step, so that
it is found among the last spikes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.engines.nest_engine.form import Form

#: Ports come in this order; NEST counts them from 1.
PORTS = ("in{}", "phi{}", "current", "rate{}")

_DRAWS = """\
    function draws(chance real, first real, rise real, fall real, tiny real) integer:
        term real = first
        total real = first
        hits integer = 0
        while chance >= total and term > tiny:
            hits += 1
            term = term * (rise - fall * (hits - 1)) / hits
            total += term
        return hits
"""


def ports(form: Form) -> list[str]:
    """Return the names of the spike ports in order."""
    made = [f"in{number}" for number in range(len(form.receptors))]
    made += [f"phi{number}" for number in form.signals]
    return [*made, "current", *(f"rate{number}" for number in range(len(form.drives)))]


def port(form: Form, name: str) -> int:
    """Return NEST's receptor number of a port: from 1, and 0 for the only one of a model."""
    known = ports(form)
    return 1 + known.index(name) if len(known) > 1 else 0


def name_of(text: str) -> str:
    """Return the name that a model gets: it says all that it does."""
    return f"neostriatum_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def cell(form: Form) -> str:
    """Return the NESTML text of a cell, with MODEL in place of its name."""
    lines = ["model MODEL:", "    state:", *_state(form)]
    if form.gaps:
        lines += ["    equations:", "        v' = (slope + I_gap) / C / unit_ms"]
    lines += ["    parameters:", *_parameters(form), "    internals:",
              "        unit_ms ms = 1 ms", "        unit s = 1 s", "    input:",
              *(f"        {one} <- spike" for one in ports(form))]
    if form.gaps:
        lines.append("        I_gap real <- continuous")
    lines += ["    output:", "        spike", *([_DRAWS.rstrip()] if form.drives else []),
              *_received(form), *_step(form)]
    return "\n".join(lines) + "\n"


def _state(form: Form) -> Iterator[str]:
    for name, kind, start in (("hold", "integer", "2"), ("broken", "integer", "0"),
                              ("v", "real", "0.0"), ("u", "real", "0.0"), ("I_in", "real", "0.0")):
        yield f"        {name} {kind} = {start}"
    for number in form.signals:
        yield f"        level{number} real = 0.0"
    for number in range(len(form.receptors)):
        yield f"        g{number} real = 0.0"
    for name in form.modulated:
        yield f"        {_now(form, name)} real = 1.0"
    for number in _currents(form):
        yield f"        open{number} real = 0.0"
    for number in range(len(form.drives)):
        for what, start in (("first", "1.0"), ("rise", "0.0"), ("fall", "0.0"), ("shared", "0.0")):
            yield f"        {what}{number} real = {start}"
    if form.gaps:
        yield "        slope real = 0.0"


def _parameters(form: Form) -> Iterator[str]:
    for name in ("dt", "tiny", "limit", "grain"):
        yield f"        {name} real = 1.0"
    for name in form.parameters:
        if name not in form.modulated:
            yield f"        {name} real = 1.0"
    for name in form.modulated:
        if name in form.parameters:
            yield f"        base_{name} real = 1.0"
    for number, (receptor, blocked) in enumerate(form.receptors):
        yield f"        # {receptor}"
        for what in ("E", "decay", *(("block", "slope_mg") if blocked else ())):
            yield f"        {what}{number} real = 1.0"
    for number, (_, _, kind) in enumerate(form.effects):
        yield f"        effect{number} real = 0.0"
        if kind == "current":
            yield f"        E_open{number} real = 0.0"
    for number, (receptors, within) in enumerate(form.drives):
        names = ["n", "own", "outside", *(("copied_first", "copied_rise", "copied_fall")
                                          if within else ())]
        for name in names:
            yield f"        {name}{number} real = 0.0"
        for receptor in receptors:
            yield f"        w{number}_{receptor} real = 0.0"
    if form.noisy:
        yield "        sigma real = 0.0"


def _received(form: Form) -> Iterator[str]:
    for number in range(len(form.receptors)):
        yield from (f"    onReceive(in{number}):",
                    f"        g{number} += round(in{number} * unit * grain) / grain")
    yield from ("    onReceive(current):", "        I_in += current * unit")
    for number in form.signals:
        yield from (f"    onReceive(phi{number}):",
                    f"        level{number} = phi{number} * unit", *_modulation(form))
    for number, (_, _within) in enumerate(form.drives):
        yield from (
            f"    onReceive(rate{number}):", f"        p real = rate{number} * unit",
            f"        shared{number} = p * outside{number}",
            f"        if n{number} > 0:",
            f"            rise{number} = n{number} * p / (1 - p)",
            f"            fall{number} = p / (1 - p)",
            f"            first{number} = exp(n{number} * ln(1 - p))",
            "        else:",
            f"            rise{number} = p * own{number}", f"            fall{number} = 0.0",
            f"            first{number} = exp(-p * own{number})")


def _modulation(form: Form) -> Iterator[str]:
    for target in form.modulated:
        mine = [(number, signal, kind) for number, (signal, acts_on, kind)
                in enumerate(form.effects) if acts_on == target]
        factors = [f"(1.0 + effect{number} * level{signal})" for number, signal, kind in mine
                   if kind == "factor"]
        terms = [f"effect{number} * level{signal}" for number, signal, kind in mine
                 if kind == "add"]
        product = f"({' * '.join(factors)})" if factors else "1.0"
        base = f"base_{target} * " if target in form.parameters else ""
        total = f" + ({' + '.join(terms)})" if terms else ""
        yield f"        {_now(form, target)} = {base}{product}{total}"
    for number in _currents(form):
        yield f"        open{number} = effect{number} * level{form.effects[number][0]}"


def _step(form: Form) -> Iterator[str]:
    yield from ("    onCondition(hold >= 0):", "        if hold > 0:", "            hold -= 1",
                "        elif broken > 0:", "            emit_spike()", "        else:")
    inner = [*_drawn(form), *_currents_of(form), *_euler(form), *_fired()]
    yield from (f"            {line}" for line in inner)


def _drawn(form: Form) -> Iterator[str]:
    for number, (receptors, within) in enumerate(form.drives):
        hits = f"hits{number}"
        yield f"{hits} integer = 0"
        yield f"if first{number} < 1.0:"
        yield (f"    {hits} = draws(random_uniform(0, 1), first{number}, rise{number}, "
               f"fall{number}, tiny)")
        if within:
            yield f"if shared{number} > 0.0 and random_uniform(0, 1) < shared{number}:"
            yield (f"    {hits} += draws(random_uniform(0, 1), copied_first{number}, "
                   f"copied_rise{number}, copied_fall{number}, tiny)")
        yield f"if {hits} > 0:"
        for receptor in receptors:
            yield f"    g{receptor} += {hits} * w{number}_{receptor}"


def _currents_of(form: Form) -> Iterator[str]:
    yield "I real = I_spon + I_in"
    for number, (_, blocked) in enumerate(form.receptors):
        gain = form.gain(number)
        scale = f"{_now(form, gain)} * " if gain in form.modulated else ""
        yield f"flow{number} real = {scale}g{number} * (E{number} - v)"
        if blocked:
            yield f"flow{number} = flow{number} / (1.0 + block{number} * exp(slope_mg{number} * v))"
        yield f"I += flow{number}"
    for number in _currents(form):
        yield f"I += open{number} * (v - E_open{number})"


def _euler(form: Form) -> Iterator[str]:
    if form.cubic:
        yield from ("above real = max(v - v_b, 0.0)",
                    "pull real = b * above * above * above")
    else:
        yield "pull real = b * (v - v_r)"
    yield "new_u real = u + dt * a * (pull - u)"
    rise = "k * (v - v_r) * (v - v_t) - u + I"
    if form.gaps:
        yield from (f"slope = {rise}", "integrate_odes(v)")
    else:
        yield f"v = v + dt / C * ({rise})"
    yield "u = new_u"
    if form.noisy:
        yield "v += sigma * random_normal(0, 1)"
    yield from (f"g{number} = g{number} * decay{number}" for number in range(len(form.receptors)))


def _fired() -> Iterator[str]:
    yield from ("if v >= v_peak:", "    v = c", "    u = u + d", "    emit_spike()",
                "if not (v >= -limit and v <= limit):", "    broken = 1", "    emit_spike()")


def _currents(form: Form) -> list[int]:
    return [number for number, (_, _, kind) in enumerate(form.effects) if kind == "current"]


def _now(form: Form, target: str) -> str:
    """Return the name of what modulators change: a parameter keeps its own."""
    return target if target in form.parameters else f"gain_{target}"


def train() -> str:
    """Return the NESTML text of a source of shared trains: a random count of spikes per step."""
    return f"""\
model MODEL:
    state:
        hold integer = 1
        first0 real = 1.0
        rise0 real = 0.0
        fall0 real = 0.0
    parameters:
        tiny real = 1.0
        n0 real = 0.0
        own0 real = 0.0
    internals:
        unit s = 1 s
    input:
        rate0 <- spike
    output:
        spike
{_DRAWS.rstrip()}
    onReceive(rate0):
        p real = rate0 * unit
        if n0 > 0:
            rise0 = n0 * p / (1 - p)
            fall0 = p / (1 - p)
            first0 = exp(n0 * ln(1 - p))
        else:
            rise0 = p * own0
            fall0 = 0.0
            first0 = exp(-p * own0)
    onCondition(hold >= 0):
        if hold > 0:
            hold -= 1
        else:
            hits integer = 0
            if first0 < 1.0:
                hits = draws(random_uniform(0, 1), first0, rise0, fall0, tiny)
            while hits > 0:
                hits -= 1
                emit_spike()
"""
