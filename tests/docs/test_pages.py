"""The pages that are written for the site: nothing that there is, is left out."""

import argparse
import importlib
import re

import pytest
from pages import all_pages, api, errors
from pages.links import ROOT

import blobnet.layers
from blobnet.cli import parser
from blobnet.core.registry import LAYERS, name_in_nets
from blobnet.proto.messages import SCHEMA_FILES, message_class, messages
from blobnet.proto.notes import note
from blobnet.solvers import SOLVERS, types
from blobnet.solvers.lr_policy import POLICIES
from blobnet.view.layer_pages import default

OURS = {name: cls for name, cls in LAYERS.items() if cls.__module__.startswith(blobnet.layers.__name__)}
ELSEWHERE = argparse._HelpAction, argparse._SubParsersAction  # on the page of all commands, and below
SOLVER_TYPES = [name for name, cls in SOLVERS.items() if cls.__module__.startswith(types.__name__)]


@pytest.fixture(scope="module")
def pages():
    return all_pages()


def row(text, *cells):
    """Whether a table of `text` has a row that begins with these cells."""
    return "\n| " + " | ".join(cells) in text


def test_every_layer_type(pages):
    index = pages["layers/index.md"]
    for name, cls in OURS.items():
        _, _, family, stem = cls.__module__.split(".")
        text = pages[f"layers/{family}/{stem}.md"]
        assert text.startswith(f"# {name}\n\n```{{layer}} {name}\n"), name
        assert f"{{layer}}`{name}`" in index and f"{{layer}}`{name}`" in pages[f"layers/{family}/index.md"]
        assert "```{formulas}\n" in text or family == "data" or "formula" not in vars(cls), name
        for part in ("Bottoms\n: ", "Tops\n: ", "Params\n: ", "Paper\n: ", "Quirks\n: ", "<svg "):
            assert part in text, (name, part)
        assert re.search(rf'^  type: "(?:{name}|{name_in_nets(cls)})"$', text, re.MULTILINE), name
        for field in filter(None, (cls.options_field, *cls.more_options)):
            message = message_class("LayerParameter").DESCRIPTOR.fields_by_name[field].message_type
            section = text.partition(f"\n### {field}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
            assert f"{{message}}`{message.name}`" in section, (name, field)
            assert all(row(section, f"`{option.name}`") for option in message.fields), (name, field)


def test_every_message_and_field(pages, extendable):
    declared = sum(len(re.findall(r"^  (?:optional|required|repeated) ", ROOT.joinpath(
        "blobnet/proto", name).read_text("utf-8"), re.MULTILINE)) for name in SCHEMA_FILES)
    shown = 0
    for name in messages():
        text = pages[f"schema/{name.lower()}.md"]
        assert f"{{message}}`{name}`" in pages["schema/index.md"]
        for field in message_class(name).DESCRIPTOR.fields:
            assert row(text, f'<span id="{field.name}">{field.number}</span>', f"`{field.name}`", ""), field.full_name
            line, = (line for line in text.split("\n") if f'id="{field.name}"' in line)
            assert not (value := default(field)[1:-1]) or f"default `{value}`" in line, field.full_name
            for word, option in (("**No effect:**", "ignored"), ("**Refused:**", "refused")):
                assert (word in line) == bool(note(field, option)), field.full_name
                listed = row(pages["schema/not_used.md"], f"`{field.name}`", f"{{message}}`{name}`", "")
                assert listed or not note(field, option), field.full_name
            shown += 1
    assert shown == declared


def test_comments_of_the_schema_are_its_meaning(pages):
    solver = pages["schema/solverparameter.md"]
    assert "| `max_iter` | `int32` | iterations in all |" in solver
    assert "| `clip_gradients` | `float`, default `-1` | greatest L2 norm of all gradients together, scaled" in solver
    assert "**Refused:** rates do not follow the gradients' lengths." in solver
    assert "\n\nThe axes of a blob, outermost first.\n\n" in pages["schema/blobshape.md"]


def commands(command):
    """A command and those in it, by what is written for them."""
    yield command.prog, command
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from commands(inner)


def test_every_command_and_flag(pages):
    for prog, command in list(commands(parser()))[1:]:
        text = pages[f"commands/blobnet-{prog.split()[1]}.md"]
        title = f"\n## {prog}\n" if prog.count(" ") > 1 else f"# {prog}\n"
        section = text[text.index(title) + len(title):].partition("\n## ")[0]
        for action in command._actions:
            if action.help == argparse.SUPPRESS or isinstance(action, ELSEWHERE):
                continue
            for flag in action.option_strings:
                assert f"`{flag}`" in section, f"{prog} {flag}"
            for choice in () if isinstance(action.choices, range) else action.choices or ():
                assert str(choice) in section, f"{prog} {action.dest}: {choice}"
            defaults = action.default if isinstance(action.default, list) else [action.default]
            for value in defaults if action.option_strings else ():
                if value is not None and not isinstance(value, bool):
                    line = next(line for line in section.split("\n") if f"| `{action.option_strings[0]}`" in line)
                    said = line.split(" | ")[1]
                    assert str(value) in said or "(default" in said, f"{prog} {action.dest}: {value}"


def test_every_solver_type_and_policy(pages):
    for name in SOLVER_TYPES:
        text = pages[f"solvers/{name.lower()}.md"]
        assert f"```{{solver-type}} {name}\n" in text and "```{formulas}\n" in text and "Paper\n: " in text
        assert f"{{solver-type}}`{name}`" in pages["solvers/index.md"]
    for name in POLICIES:
        assert f"\n## {name}\n" in pages["solvers/lr_policies.md"]
    assert ("rate = base_lr * gamma ^ floor(iteration / stepsize)\n```\n\nFields: `base_lr`, `gamma`, `stepsize`."
            ) in pages["solvers/lr_policies.md"]


def test_every_folder_of_published_nets(pages):
    for folder in (path for path in ROOT.joinpath("prototxt").iterdir() if path.is_dir()):
        assert f"```{{paper}} {folder.name}\n" in pages[f"papers/{folder.name}.md"]
        assert row(pages["papers/index.md"], f"{{paper}}`{folder.name}`", "")
    assert ("| {paper}`dsh` | DSH: Deep Supervised Hashing | Deep Supervised Hashing for Fast Image Retrieval | 2016 | "
            "hash codes |") in pages["papers/index.md"]
    assert "{layer}`HashingLoss`" in pages["papers/dsh.md"]


@pytest.mark.parametrize("module", api.modules())
def test_every_public_name(pages, module):
    text = pages[f"api/{module}.md"]
    there = importlib.import_module(module)
    for name in api.modules()[module] or there.__all__:
        assert hasattr(there, name)
        shown = re.search(rf"^\.\. (auto\w+|py:data):: {re.escape(module)}\.{name}$|^`{name}` is that of", text,
                          re.MULTILINE)
        assert shown or type(getattr(there, name)) is type(there), f"{module}.{name}"


def test_every_error(pages):
    assert len(errors.classes()) >= 9
    for cls in errors.classes():
        assert f".. autoexception:: blobnet.errors.{cls.__name__}\n" in pages["errors.md"]


def test_what_is_referred_to_by_name_is_there(pages):
    written = [path.read_text("utf-8") for path in ROOT.glob("tools/docs/**/*.md") if "_generated" not in path.parts]
    for kind in ("layer", "solver-type", "command", "paper", "message"):
        named = {name for text in pages.values() for name in re.findall(rf"^```{{{kind}}} (\S+)$", text, re.MULTILINE)}
        for text in [*pages.values(), *written]:
            assert named.issuperset(re.findall(rf"{{{kind}}}`([^`]+)`", text))
