"""The NMODL text of a gap junction, ohmic or through a node, between two artificial cells."""

JUNCTION = "nsjunction"
#: The NMODL file; the script sets the step.
TEXT = f"""\
: A gap junction: i_1 = g (v_2 - v_1) and i_2 = g (v_1 - v_2), or with tau > 0 through a node,
: tau dVg/dt = (v_1 - Vg) + (v_2 - Vg), from the values at the start of the step.

NEURON {{
    ARTIFICIAL_CELL {JUNCTION}
    RANGE p_g, p_tau, s_Vg
    POINTER v_1, v_2, i_1, i_2
}}

PARAMETER {{
    c_dt = 0.1
    p_g = 0.0
    p_tau = 0.0
}}

ASSIGNED {{
    v_1
    v_2
    i_1
    i_2
    s_Vg
    c_count
}}

INITIAL {{
    c_count = 0
    net_send(0.625*c_dt, 1)
}}

NET_RECEIVE (w) {{
    if (p_tau > 0.0) {{
        if (c_count == 0) {{
            s_Vg = 0.5*(v_1 + v_2)
        }}
        i_1 = i_1 + p_g*(s_Vg - v_1)
        i_2 = i_2 + p_g*(s_Vg - v_2)
        s_Vg = s_Vg + c_dt/p_tau*((v_1 - s_Vg) + (v_2 - s_Vg))
    }} else {{
        i_1 = i_1 + p_g*(v_2 - v_1)
        i_2 = i_2 + p_g*(v_1 - v_2)
    }}
    c_count = c_count + 1
    net_send((c_count + 0.625)*c_dt - t, 1)
}}
"""
