"""The text of a cell in NESTML, from the trees of its models.

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

from neostriatum.engines.nest_engine.text import Writer, bodies, coefficients

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.engines.nest_engine.shape import Form

#: Steps of NEST before our first.
LAG = 2
#: Ports come in this order; NEST counts them from 1.
PORTS = ("in{}", "phi{}", "factor{}", "current", "rate{}")

#: A random count, by inversion.
DRAWS = """\
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
    names = [f"in{number}" for number in range(len(form.receptors) + len(form.inlets))]
    names += [f"phi{number}" for number in form.signals]
    names += [f"factor{number}" for number in range(len(form.inlets))]
    return [*names, "current", *(f"rate{number}" for number in range(len(form.drives)))]


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
        # NESTML sends s_v because it has an equation; what flows in is summed beside it.
        lines += ["    equations:", "        s_v' = 0.0 * I_gap / unit_ms",
                  "        gap' = I_gap / unit_ms"]
    lines += ["    parameters:", *_parameters(form), "    internals:",
              "        unit_ms ms = 1 ms", "        unit s = 1 s", "    input:",
              *(f"        {name} <- spike" for name in ports(form))]
    if form.gaps:
        lines.append("        I_gap real <- continuous")
    lines += ["    output:", "        spike", *bodies(form.functions)]
    lines += [*([DRAWS.rstrip()] if form.drives else []), *_received(form), *_step(form)]
    return "\n".join(lines) + "\n"


def _state(form: Form) -> Iterator[str]:
    yield f"        lag integer = {LAG}"
    yield "        broken integer = 0"
    if form.model.hold is not None:
        yield "        held real = 0.0"
    names = [f"s_{name}" for name in form.model.names]
    names += ["I_in", *(["gap"] if form.gaps else [])]
    names += [f"level{number}" for number in form.signals]
    names += [f"r{number}_{name}" for number, receptor in enumerate(form.receptors)
              for name in receptor.names]
    names += [*form.modulated, *(f"open{number}" for number in form.opened)]
    names += [f"wait{number}" for number in _waiting(form)]
    names += [f"scale{number}" for number in range(len(form.inlets))]
    yield from (f"        {name} real = 0.0" for name in names)
    for number in range(len(form.drives)):
        for what, start in (("first", "1.0"), ("rise", "0.0"), ("fall", "0.0"), ("shared", "0.0")):
            yield f"        {what}{number} real = {start}"


def _parameters(form: Form) -> Iterator[str]:
    if form.model.hold is not None:
        yield "        hold_steps real = 0.0"
    names = ["dt", "tiny", "limit", "grain", *form.constants.values()]
    names += coefficients(form.functions)
    for name in (f"p_{name}" for name in form.parameters):
        names.append(f"base_{name}" if name in form.modulated else name)
    for number, receptor in enumerate(form.receptors):
        names += [f"r{number}_{name}" for name in form.numbers_of(number)]
        names += [f"decay{number}_{state.name}" for state in receptor.decays]
    for number, (_, _, kind) in enumerate(form.effects):
        names += [f"effect{number}", *([f"E_open{number}"] if kind == "current" else [])]
    for number, (receptors, within) in enumerate(form.drives):
        names += [f"{what}{number}" for what in ("n", "own", "outside")]
        if within:
            names += [f"{what}{number}" for what in ("copied_first", "copied_rise", "copied_fall")]
        names += [f"w{number}_{receptor}" for receptor in receptors]
    names += ["sigma"] if form.noisy else []
    yield from (f"        {name} real = 1.0" for name in names)


def _received(form: Form) -> Iterator[str]:
    for number in range(len(form.receptors) + len(form.inlets)):
        yield from (f"    onReceive(in{number}):",
                    f"        amount real = round(in{number} * unit * grain) / grain",
                    *_add(form, number, "amount"))
    for number in range(len(form.inlets)):
        yield from (f"    onReceive(factor{number}):",
                    f"        scale{number} = factor{number} * unit")
    yield from ("    onReceive(current):", "        I_in += current * unit")
    for number in form.signals:
        yield from (f"    onReceive(phi{number}):",
                    f"        level{number} = phi{number} * unit", *_modulation(form))
    for number in range(len(form.drives)):
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


def _add(form: Form, receptor: int, amount: str) -> list[str]:
    """Add an amount to the states of a receptor, or to what waits for the other arrivals."""
    if receptor in _waiting(form):
        return [f"        wait{receptor} += {amount}"]
    return [f"        r{receptor}_{state.name} += {amount}"
            for state in form.receptors[receptor].adds or ()]


def _waiting(form: Form) -> list[int]:
    """Return the entries where arrivals wait until all of a step are there."""
    entries = range(len(form.receptors) + len(form.inlets))
    return [number for number in entries if number in form.inlets or number >= len(form.receptors)]


def _scaled(form: Form) -> Iterator[str]:
    """Add what waits, the scaled last."""
    count = len(form.receptors)
    for receptor in dict.fromkeys(form.inlets):
        terms = [f"scale{number} * wait{count + number}"
                 for number, into in enumerate(form.inlets) if into == receptor]
        yield f"all{receptor} real = wait{receptor} + {' + '.join(terms)}"
        yield from (f"r{receptor}_{state.name} += all{receptor}"
                    for state in form.receptors[receptor].adds or ())
    yield from (f"wait{number} = 0.0" for number in _waiting(form))


def _modulation(form: Form) -> Iterator[str]:
    for target in form.modulated:
        mine = [(number, signal, kind) for number, (signal, acts_on, kind)
                in enumerate(form.effects) if acts_on == target]
        factors = [f"(1.0 + effect{number} * level{signal})" for number, signal, kind in mine
                   if kind == "factor"]
        terms = [f"effect{number} * level{signal}" for number, signal, kind in mine
                 if kind == "add"]
        product = f"({' * '.join(factors)})" if factors else "1.0"
        base = f"base_{target} * " if target.startswith("p_") else ""
        total = f" + ({' + '.join(terms)})" if terms else ""
        yield f"        {target} = {base}{product}{total}"
    for number in form.opened:
        yield f"        open{number} = effect{number} * level{form.effects[number][0]}"


def _step(form: Form) -> Iterator[str]:
    yield from ("    onCondition(lag >= 0):", "        if lag > 0:", "            lag -= 1",
                "        elif broken > 0:", "            emit_spike()", "        else:")
    current = form.model.constant_current
    inner = [*_drawn(form), *_scaled(form),
             f"I real = {'0.0' if current is None else f'p_{current.name}'} + I_in"]
    local = 0
    for number in range(len(form.receptors)):
        lines, local = _receptor(form, number, local)
        inner += lines
    if form.gaps:
        inner += ["gap = 0.0", "integrate_odes(s_v, gap)", "I += gap / dt"]
    inner += [f"I += open{number} * (s_v - E_open{number})" for number in form.opened]
    inner += [*_euler(form, local),
              "if not (s_v >= -limit and s_v <= limit):", "    broken = 1", "    emit_spike()"]
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
            yield from (line[4:] for line in
                        _add(form, receptor, f"{hits} * w{number}_{receptor}"))


def _receptor(form: Form, number: int, local: int) -> tuple[list[str], int]:
    """Take the current of a receptor and let time pass in it, from the values before."""
    model = form.receptors[number]
    own = {name: f"r{number}_{name}" for name in (*model.names, *form.numbers_of(number))}
    gain = f"gain{number}"
    own |= {"v": "s_v", "dt": "dt", "gain": gain if gain in form.modulated else "1.0"}
    rates = {each.state.name: each.step for each in model.rates}
    writer = Writer([model.effect, *rates.values()], own, form.constants, local)
    lines = writer.lines("I += ", model.effect)
    for name, step in rates.items():
        lines += writer.lines(f"new{number}_{name} real = ", step)
    lines += [f"{own[state.name]} = {own[state.name]} * decay{number}_{state.name}"
              for state in model.decays]
    return [*lines, *(f"{own[name]} = new{number}_{name}" for name in rates)], writer.next


def _euler(form: Form, local: int) -> Iterator[str]:
    """Step the states, let the cell fire, and let the states jump."""
    model = form.model
    names = {name: f"s_{name}" for name in model.names} | {"I": "I", "dt": "dt"}
    names |= {name: f"p_{name}" for name in form.parameters}
    writer = Writer(model.steps.values(), names, form.constants, local)
    for name, step in model.steps.items():
        yield from writer.lines(f"new_{name} real = ", step)
    if form.noisy:
        yield "new_v += sigma * random_normal(0, 1)"
    if model.hold is not None:
        yield from ("free boolean = held <= 0.0", "if held > 0.0:", "    held -= 1.0",
                    "    new_v = s_v")
    yield from (f"s_{name} = new_{name}" for name in model.names)
    writer = Writer([model.fires], names, form.constants, writer.next)
    yield from writer.lines("fires boolean = ", model.fires)
    yield "if fires:" if model.hold is None else "if fires and free:"
    writer = Writer(model.resets.values(), names, form.constants, writer.next)
    for name, jump in model.resets.items():
        yield from (f"    {line}" for line in writer.lines(f"after_{name} real = ", jump))
    yield from (f"    s_{name} = after_{name}" for name in model.resets)
    if model.hold is not None:
        yield "    held = hold_steps"
    yield "    emit_spike()"
