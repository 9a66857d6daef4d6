"""What is left of the contract when the numbers of one batch are right: other batches, other phases, ties, floats."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.passes import build, forward, run, same, wrong_elements
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.subject import Subject
from blobnet.check.grading.trouble import frames_of, trouble

FAR = 1000.0  # an exponential of it is inf
RULES = {  # (slip, what to say after the breach)
    "reshape": (Slip.STATE, "What depends on the size of a batch has its place in reshape, or is made anew in every "
                "forward"),
    "keeps_arrays": (Slip.WRITES, "Write into the arrays that are there"),
    "in_place": (Slip.WRITES, "In place bottom and top are one array. What do you read of it after it was written?"),
    "dtypes": (Slip.PRECISION, "Do all of your arrays take the type of the bottoms, or do some have one of their own?"),
}


def look_at_contract(subject: Subject) -> list[Finding]:
    """What other batches, phases, ties and floats show; a sentence that all is right if they show nothing."""
    found = [*_rules(subject), *filter(None, (_try(look, subject) for look in (_second_batch, _other_phase, _ties,
                                                                               _far)))]
    found = list({finding.slip: finding for finding in reversed(found)}.values())[::-1]  # the first of each slip
    if any(finding.state is State.WRONG for finding in found):
        return found
    return [Finding("contract", State.RIGHT, "the layer keeps the contract: another batch size, float32."), *found]


def _try(look: Callable[[Subject], Finding | None], subject: Subject) -> Finding | None:
    """What a look finds; nothing where the right layer does not take the numbers."""
    try:
        return look(subject)
    except Exception as error:
        if frames_of(error, subject.opened.path):
            raise
        return None


def _rules(subject: Subject) -> Iterator[Finding]:
    for name, (slip, hint) in RULES.items():
        try:
            breaches = subject.breaches(name)
        except Exception as error:
            found = trouble(error, subject.opened.path, "contract")
            yield Finding("contract", State.WRONG, f"with a batch of another size or type, in {found.part}: "
                          f"{found.words} {hint}.", slip, line=found.line)
            continue
        for breach in breaches[:1]:
            yield Finding("contract", State.WRONG, f"{breach}. {hint}{'.' * (not hint.endswith('?'))}", slip)


def _second_batch(subject: Subject) -> Finding | None:
    """Other numbers of the same shapes: they must not meet what the first ones left."""
    scene, param = subject.scene, subject.opened.param
    values = [value / 2 if wanted else value for value, wanted in zip(scene.values, scene.wanted)]
    if not scene.has_backward:
        return None
    new, used = build(param, values, subject.parameters, subject.phase), subject.build()
    forward(used)
    for old, value in zip(used.values, values):
        old[...] = value
    first, second = (run(alone, scene.dy, scene.wanted) for alone in (new, used))
    if all(same(a, b) for kind in range(len(first)) for a, b in zip(first[kind], second[kind])):
        return None
    return Finding("contract", State.WRONG, "the second batch is not computed as the first: something is left from "
                   "that. What forward keeps for backward is made anew in every forward.", Slip.STATE)


def _other_phase(subject: Subject) -> Finding | None:
    """The phase that the exercise does not say, where it makes a difference."""
    phase = 1 - subject.phase
    if subject.opened.param.HasField("phase") or len(subject.mine.layer.blobs) < len(subject.scene.alone.layer.blobs):
        return None
    right = subject.scene.build(phase=phase).forward()
    if all(same(a, b) for a, b in zip(right, subject.scene.answers[0].top)):
        return None
    mine = forward(build(subject.opened.param, subject.values, subject.parameters, phase))
    if all(same(a, b) for a, b in zip(mine, right)):
        return None
    name = ("TRAIN", "TEST")[phase]
    return Finding("contract", State.WRONG, f"in the phase {name} the tops are not right. What does the layer do in "
                   f"{name}, and how does it know the phase?", Slip.PHASE)


def _ties(subject: Subject) -> Finding | None:
    """Whole numbers, some of which are equal or 0: maxima that tie, and corners."""
    scene = subject.scene
    if scene.is_loss or scene.draws or not scene.has_backward or scene.learning:
        return None
    values = [np.round(value) for value in scene.values]
    mine = run(build(subject.opened.param, values, phase=subject.phase), scene.dy, scene.wanted)
    right = scene.play(values=values)
    i = next((i for i, want in enumerate(scene.wanted) if want and not same(mine.bottom[i], right.bottom[i])), None)
    if i is None or not np.isfinite(right.bottom[i]).all():
        return None
    if mine.bottom[i].shape == scene.dy[0].shape:
        return Finding("contract", State.ADVICE, f"where bottom[{i}].data is exactly at a corner, as at 0, "
                       f"{scene.param.type} takes another slope. Both are possible; Caffe's is the other.", Slip.KINK)
    index = tuple(map(int, np.argwhere(wrong_elements(mine.bottom[i], right.bottom[i]))[0]))
    more = abs(mine.bottom[i]).sum() > abs(right.bottom[i]).sum() * (1 + 1e-9)
    words = ("goes to several of them; it may flow back once only" if more else "goes to another one than the first")
    return Finding("contract", State.WRONG, f"where several numbers of a window are the largest, the gradient {words}. "
                   f"With bottom[{i}].data rounded, bottom[{i}].diff{list(index)} is {mine.bottom[i][index]:.8g}, "
                   f"expected {right.bottom[i][index]:.8g}.", Slip.TIES, f"bottom[{i}].diff{list(index)}",
                   float(mine.bottom[i][index]), float(right.bottom[i][index]))


def _far(subject: Subject) -> Finding | None:
    """Numbers far from 0: does an exponential run over?"""
    scene = subject.scene
    for shift in (FAR, -FAR):
        values = [value + shift * wanted for value, wanted in zip(scene.values, scene.wanted)]
        right = scene.build(values=values).forward()
        mine = forward(build(subject.opened.param, values, subject.parameters, subject.phase))
        if any(not np.isfinite(a).all() and np.isfinite(b).all() for a, b in zip(mine, right)):
            return Finding("contract", State.ADVICE, f"with numbers near {shift:g} your forward gives nan or inf, and "
                           f"{scene.param.type} does not. What can be subtracted before an exponential, or which sign "
                           "can it have, so that it never runs over?", Slip.NOT_FINITE)
    return None
