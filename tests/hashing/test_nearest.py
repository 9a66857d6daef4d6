import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.hashing.nearest import Nearest


def slow_ranking(line: list[int], top: int, bound: int) -> list[tuple[int, int]]:
    return sorted((distance, item) for item, distance in enumerate(line) if distance < bound)[:top]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), st.integers(1, 300), st.integers(1, 300), st.data())
def test_the_first_of_a_sort_by_distance_and_number_are_found_in_tiles_of_any_width(queries, levels, count, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    top, width = data.draw(st.integers(1, count + 1)), data.draw(st.integers(1, count))
    bound = data.draw(st.sampled_from([levels, levels, 1, max(1, levels // 2)]))
    distances = rng.integers(0, levels, (queries, count)).astype(np.min_scalar_type(levels - 1))
    distances = data.draw(st.sampled_from([distances, np.sort(distances), np.sort(distances)[:, ::-1]]))
    nearest = Nearest(queries, levels, top, bound)
    for start in range(0, count, width):
        nearest.look(distances[:, start:start + width], start)
    for line, (items, near) in zip(distances.tolist(), nearest.ranking(), strict=True):
        assert list(zip(near.tolist(), items.tolist())) == slow_ranking(line, top, bound)


def test_only_items_nearer_than_the_last_that_is_wanted_are_kept():
    nearest = Nearest(1, 65, 100, 65)
    rng = np.random.default_rng(0)
    for start in range(0, 100_000, 10_000):
        nearest.look(rng.integers(0, 65, (1, 10_000)).astype(np.uint8), start)
    kept = sum(len(items) for items, *_ in nearest._found)
    assert 100 <= kept < 600
