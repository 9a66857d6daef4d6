"""A page a solver type, and one of the policies by which the learning rate goes."""

from __future__ import annotations

import inspect
import re

from blobnet.proto.messages import new
from blobnet.solvers import SOLVERS, Solver, types
from blobnet.solvers.lr_policy import POLICIES, missing_fields
from pages.fields import about_field
from pages.links import ROOT
from pages.markdown import block, code, page, paragraphs, plain, table, toctree

SECTION = re.compile(r"\b(History|Settings|Paper|Quirks): ")


def pages() -> dict[str, str]:
    """The pages of all types, of the policies, and one that lists them."""
    ours = {name: cls for name, cls in sorted(SOLVERS.items()) if cls.__module__.startswith(types.__name__)}
    found = {f"solvers/{name.lower()}.md": _solver(cls) for name, cls in ours.items()}
    index = page("Solvers", 'A solver file names its type in `type: "NAME"`, the type SGD if it names none; its other '
                 "fields are those of {message}`SolverParameter`.",
                 table(["type", "what it does"], [(f"{{solver-type}}`{name}`", plain(_purpose(cls)))
                                                  for name, cls in ours.items()]),
                 toctree([*map(str.lower, ours), "lr_policies"], ":hidden:"))
    return found | {"solvers/index.md": index, "solvers/lr_policies.md": _policies()}


def _purpose(cls: type[Solver]) -> str:
    return inspect.getdoc(cls).partition("\n")[0]


def _solver(cls: type[Solver]) -> str:
    formulas, *rest = SECTION.split(inspect.getdoc(cls).partition("\n")[2])
    settings = new("SolverParameter").DESCRIPTOR.fields_by_name
    text = dict(zip(rest[::2], rest[1::2]))
    used = [settings[name] for name in dict.fromkeys(re.findall(r"\w+", text["Settings"])) if name in settings]
    return page(
        cls.__name__, block("{solver-type} " + cls.__name__, ""), plain(_purpose(cls)),
        block("{formulas}", formulas.strip("\n")),
        "\n\n".join(f"{term}\n: {paragraphs(said, '  ')}" for term, said in text.items()),
        "## Settings of its own" if used else "",
        table(["field of a solver", "meaning"], [(code(field.name), about_field(field)) for field in used])
        if used else "",
        f"The code: `{inspect.getsourcefile(cls).removeprefix(f'{ROOT}/')}`.")


def _policies() -> str:
    """The policies with their formulas, and the fields that each computes with."""
    parts = []
    for name, policy in POLICIES.items():
        fields = missing_fields(new("SolverParameter", lr_policy=name))
        text = inspect.getdoc(policy)
        is_formula = not text.startswith("the ")
        parts += [f"## {name}", block("{formulas}", f"rate = {text}") if is_formula else f"The rate is {plain(text)}.",
                  "Fields: " + ", ".join(map(code, fields)) + "."]
    return page("Learning rate policies", "`lr_policy` of {message}`SolverParameter` says how the rate depends on the "
                "iteration, counted from 0. In the first `warmup_iter` or `rampup_interval` iterations it rises to "
                "`base_lr` instead, and it is never below `min_lr`.", *parts)
