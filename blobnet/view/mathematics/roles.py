"""Which words of a formula are computed with, and which are plain English."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.view.mathematics.names import BIG, PREFIX, function_name, is_symbol, parts
from blobnet.view.mathematics.tokens import END, Token

OPERANDS = {"number", "symbol", "close", "squared"}  # what a factor may end with
ENGLISH = frozenset("""a all also an and any are as at both but by do each either else elsewhere every for from has if
    in into is it its no none nor not of on one or others over so than that the then these this those times to unless
    what when where which while whose with within without""".split())


def with_roles(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with every name turned into a symbol, a function, an operator or text."""
    done: list[Token] = []
    called: list[bool] = []  # of each open bracket: whether a name stands just before it
    for number, token in enumerate(tokens):
        after = tokens[number + 1] if number + 1 < len(tokens) else END
        if token.kind == "open":
            called.append(not token.gap and bool(done) and done[-1].kind in ("symbol", "function"))
        elif token.kind == "close" and called:
            called.pop()
        elif token.kind == "name":
            token = _role(token, done, after, tokens[number + 2:number + 3], called)
        done.append(token)
    return done


def _role(token: Token, done: list[Token], after: Token, later: Sequence[Token], called: list[bool]) -> Token:
    name, before = token.text, done[-1] if done else END
    if name == "squared" and before.kind in OPERANDS:
        return token._replace(kind="squared")
    if before.kind in OPERANDS and token.gap and after.gap:
        if name == "mod" or name == "x" and _quantity(after) and _is_size(done):
            return token._replace(kind="operator", text="×" if name == "x" else name)
    if name in ("a", "A") and before.kind != "operator" and _plain(after):
        return token._replace(kind="text")
    if function_name(name) and _applied(name, after):
        return token._replace(kind="function")
    if _is_option(name):
        used = before.kind in ("operator", "symbol") or after.kind == "operator" or _opens(after) or after.text == "x"
        return token._replace(kind="symbol" if used or any(called[-1:]) else "text")
    symbol = is_symbol(name) or not _is_english(name, after) and (
        _opens(after) or _alone(name, before, after, called) or _computed(done, after, later))
    return token._replace(kind="symbol" if symbol else "text")


def _is_size(done: list[Token]) -> bool:
    """Whether the letter x behind these tokens is a sign: "blocks of s_h x s_w", and not y = s x dy."""
    depth = 0
    for token in reversed(done):
        depth += (token.kind == "close") - (token.kind == "open")
        if depth < 0 or not depth and token.kind == "operator":
            return False
        if not depth and token.kind in ("text", "punctuation"):
            break
    return True


def _is_option(name: str) -> bool:
    """Whether it is a name of several words, such as step_size."""
    return "_" in name and "_" in parts(name).base


def _is_english(name: str, after: Token) -> bool:
    return name.lower() in ENGLISH or after.text == "of"


def _plain(token: Token) -> bool:
    """Whether it is a word that an article may stand before."""
    return token.kind == "text" and token.text[0].isalpha() or (
        token.kind == "name" and not is_symbol(token.text) and token.text not in ENGLISH)


def _quantity(token: Token) -> bool:
    return token.kind == "name" and (is_symbol(token.text) or bool(function_name(token.text)))


def _opens(token: Token) -> bool:
    return token.kind == "open" and not token.gap and token.text != "{"


def _applied(name: str, after: Token) -> bool:
    """Whether a function has something that it is applied to."""
    base = function_name(name)
    if _opens(after):
        return True
    if base in BIG and "_" in name:  # not a name that begins alike, such as max_iter
        return after.text in ("+", "-") or after.kind not in ("close", "punctuation", "operator", "end")
    follows = after.kind in ("number", "bar") or after.text in ("(", "[") or _quantity(after)
    return base in ("sum", "prod") and (follows or after.text == "over") or base in PREFIX and follows


def _alone(name: str, before: Token, after: Token, called: list[bool]) -> bool:
    """Whether a word is one of the things between the brackets of a call, or a function in any list."""
    listed = (before.kind == "open" or before.text == ",") and (after.kind == "close" or after.text == ",")
    return listed and bool(called) and (called[-1] or bool(function_name(name)))


def _computed(done: list[Token], after: Token, later: Sequence[Token]) -> bool:
    """Whether an operator stands beside a word. The stroke of "largest intersection / union" is English."""
    before = done[-1] if done else END
    if after.text == "/" and before.kind == "text" and later and _plain(later[0]):
        return False
    if before.text == "/" and done[-2:-1] and done[-2].kind == "text":
        return False
    return before.kind == "operator" or after.kind == "operator"
