import pytest

from blobnet.errors import DataError
from blobnet.hashing.protocol import Protocol, get_protocol, list_protocols


@pytest.mark.parametrize("name, changes, phrases", [
    ("standard", {}, ["separate database", "no query is in the database", "index order", "the whole ranking",
                      "all relevant items of the database", "counts as 0"]),
    ("dsh-authors", {}, ["themselves", "each query is in the database and counts as relevant", "index order"]),
    ("standard", {"top_k": 5000}, ["first 5000", "relevant items found in the ranking"]),
    ("standard", {"top_k": 5000, "divisor": "all"}, ["first 5000", "all relevant items"]),
    ("standard", {"metric": "asymmetric"}, ["ranked by the inner product of the query's real values"]),
    ("standard", {"ties": "expected"}, ["expectation over random orders"]),
    ("bdnn-neighbours", {}, ["list of neighbours", "the precisions just before and at each relevant rank"]),
    ("weighted-mAP", {}, ["weighted average precision", "number of shared labels so far", "first 5000"]),
    ("ms-coco", {}, ["is left out, and so is, of average precision, one that finds none"]),
    ("standard", {"ties": "worst", "without_relevant": "skip"}, ["relevant items last", "left out"]),
])
def test_the_sentence_names_every_choice(name, changes, phrases):
    sentence = get_protocol(name, **changes).describe()
    assert sentence.startswith(name) and "\n" not in sentence
    assert [phrase for phrase in phrases if phrase not in sentence] == []


def test_named_protocols_are_listed_with_their_sentences():
    listed = list_protocols()
    assert list(listed)[:2] == ["standard", "neighbours"] and len(listed) > 10
    assert listed == {name: get_protocol(name).describe() for name in listed}


def test_without_a_top_k_of_its_own_a_protocol_keeps_what_it_has():
    assert get_protocol("mAP@1000", top_k=None) == get_protocol("mAP@1000")
    assert (get_protocol("mAP@1000", top_k=7).top_k, get_protocol("mAP@all", top_k=None).divisor) == (7, "all")


@pytest.mark.parametrize("call, words", [
    (lambda: get_protocol("standart"), "did you mean 'standard'"),
    (lambda: get_protocol("standard", ties="random"), "'expected'.*got 'random'"),
    (lambda: get_protocol("standard", metric="l3"), "'l2'.*got 'l3'"),
    (lambda: get_protocol("standard", divisor="none"), "'all' or 'found'"),
    (lambda: get_protocol("standard", top_k=0), "top_k of 1 or more"),
    (lambda: get_protocol("standard", top_k=5, ties="expected"), "divisor 'all'"),
    (lambda: get_protocol("standard", ties="expected", average="trapezoid"), "average 'precision' and no 'skip-unf"),
    (lambda: get_protocol("standard", ties="expected", without_relevant="skip-unfound"), "'precision' and 'skip-unf"),
    (lambda: get_protocol("standard", average="gain"), "'label-rows' with average 'gain', got 'labels'"),
    (lambda: get_protocol("standard", relevance="lists"), "'neighbours', got 'lists'"),
    (lambda: Protocol("mine", "a", "b", without_relevant="drop"), "protocol 'mine'.*'skip'"),
])
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(DataError, match=words):
        call()
