from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from brainscan_models.config import GraphConfig
from brainscan_models.graph import SSGConv, adjacency, laplacian_pe, normalised, pair_indices, similarity

N = 19
PAIRS = N * (N - 1) // 2


def random_weights(seed: int, *, batch: int = 2, steps: int = 3, low: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(batch, PAIRS, steps, generator=generator)
    # Some pairs at or below the threshold, some exactly equal.
    weights = torch.where(weights < low, torch.zeros(()), weights)
    return (weights * 8).round() / 8 if seed % 2 else weights


def dense(weights: Tensor) -> Tensor:
    rows, columns = pair_indices(N)
    full = torch.zeros(weights.shape[0], weights.shape[2], N, N, dtype=weights.dtype)
    full[..., rows, columns] = weights.transpose(1, 2)
    full[..., columns, rows] = weights.transpose(1, 2)
    return full


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), low=st.sampled_from([0.0, 0.5, 0.9, 1.1]), top_k=st.integers(1, 5))
def test_adjacency_keeps_the_strongest_of_either_end(seed: int, low: float, top_k: int) -> None:
    weights = random_weights(seed, low=low)
    graph = adjacency(weights, N, GraphConfig(top_k=top_k))
    full = dense(weights)
    assert torch.equal(graph, graph.transpose(-1, -2))
    off = graph * (1 - torch.eye(N))
    assert bool(((off == 0) | (off == full)).all())
    loops = graph.diagonal(dim1=-2, dim2=-1)
    assert torch.equal(loops, (off.sum(-1) == 0).float())
    for row, kept in zip(full.reshape(-1, N), off.reshape(-1, N), strict=True):
        strong = sorted((w for w in row.tolist() if w > 1e-4), reverse=True)[:top_k]
        # Its own strongest are there; more only where the other end wants them.
        # Weights closer than the rank's step count as equal.
        assert sorted(kept.tolist(), reverse=True)[: len(strong)] == pytest.approx(strong, abs=1e-4)


def test_equal_edges_are_chosen_by_index() -> None:
    graph = adjacency(torch.ones(1, PAIRS, 1), N, GraphConfig(top_k=3))[0, 0]
    expected = torch.zeros(N, N)
    for i in range(N):
        for j in [j for j in range(N) if j != i][:3]:
            expected[i, j] = expected[j, i] = 1.0
    assert torch.equal(graph, expected)


@pytest.mark.isa
def test_rounding_does_not_tell_equal_edges_apart() -> None:
    noise = 1e-7 * torch.randn(1, PAIRS, 5, generator=torch.Generator().manual_seed(0))
    kept = adjacency(1.0 + noise, N, GraphConfig()) > 0
    assert torch.equal(kept, kept[:, :1].expand_as(kept))


def test_an_edge_below_the_threshold_is_no_edge() -> None:
    graph = adjacency(torch.full((1, PAIRS, 1), 1e-4), N, GraphConfig(threshold=1e-4))[0, 0]
    assert torch.equal(graph, torch.eye(N))


def test_gradients_reach_kept_edges_only() -> None:
    weights = random_weights(4).requires_grad_()
    graph = adjacency(weights, N, GraphConfig())
    (normalised(graph) * torch.rand(N, N)).sum().backward()
    rows, columns = pair_indices(N)
    kept = (graph[..., rows, columns] > 0).transpose(1, 2)
    assert weights.grad is not None
    assert bool((weights.grad[~kept] == 0).all())
    assert bool((weights.grad[kept] != 0).all())


def test_similarity_is_the_cosine_of_a_step() -> None:
    torch.manual_seed(0)
    nodes = torch.randn(2, N, 12, 5)
    nodes[0, 3] = 0.0
    cosine = similarity(nodes, 4)
    assert cosine.shape == (2, PAIRS, 3)
    rows, columns = pair_indices(N)
    for pair in (0, 40, 170):
        a, b = nodes[:, rows[pair], 4:8].flatten(1), nodes[:, columns[pair], 4:8].flatten(1)
        torch.testing.assert_close(cosine[:, pair, 1], torch.cosine_similarity(a, b))
    assert bool((cosine[0, (rows == 3) | (columns == 3)] == 0).all())


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), hops=st.integers(1, 3), loops=st.booleans())
def test_ssgconv_equals_the_published_layer(seed: int, hops: int, loops: bool) -> None:
    geometric = pytest.importorskip("torch_geometric.nn")
    torch.manual_seed(seed)
    graph = dense(random_weights(seed, batch=1, steps=1, low=0.7))[0, 0].double()
    if loops:
        graph = graph + torch.diag(torch.rand(N, dtype=torch.float64).round() * 1.5)
    index = graph.nonzero().T
    theirs = geometric.SSGConv(6, 4, alpha=0.05, K=hops).double()
    ours = SSGConv(6, 4, alpha=0.05, hops=hops).double()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(N, 6, dtype=torch.float64)
    expected = theirs(x, index, graph[index[0], index[1]])
    torch.testing.assert_close(ours(x, normalised(graph)), expected, rtol=1e-10, atol=1e-12)


def test_graphs_of_a_batch_do_not_meet() -> None:
    torch.manual_seed(0)
    layer = SSGConv(6, 4, alpha=0.05, hops=2)
    graph = normalised(adjacency(random_weights(2), N, GraphConfig()))
    x = torch.randn(2, 3, N, 6)
    torch.testing.assert_close(layer(x, graph)[1, 2], layer(x[1, 2], graph[1, 2]))


def test_eigenvectors_belong_to_the_laplacian() -> None:
    graph = adjacency(random_weights(2), N, GraphConfig())
    vectors = laplacian_pe(graph, 8, "index") / N**0.5
    inverse = graph.sum(-1).rsqrt()
    laplacian = torch.eye(N) - inverse.unsqueeze(-1) * graph * inverse.unsqueeze(-2)
    values = (vectors * (laplacian @ vectors)).sum(-2)
    # Up to the small diagonal that separates equal eigenvalues.
    residual = (laplacian @ vectors - values.unsqueeze(-2) * vectors).norm(dim=-2)
    assert float(residual.max()) < 1e-2
    assert bool((values[..., 1:] - values[..., :-1] > -1e-2).all())
    torch.testing.assert_close(vectors.norm(dim=-2), torch.ones(2, 3, 8), rtol=1e-4, atol=1e-4)


def test_the_largest_entry_is_positive() -> None:
    vectors = laplacian_pe(adjacency(random_weights(6), N, GraphConfig()), 16, "index")
    peak = vectors.abs().argmax(dim=-2, keepdim=True)
    largest, smallest = vectors.gather(-2, peak), vectors.amin(dim=-2, keepdim=True)
    assert bool(((largest > 0) | (largest.abs() - vectors.amax(-2, keepdim=True) < 0.01)).all())
    assert bool((smallest >= -vectors.amax(dim=-2, keepdim=True) - 0.01).all())


DEGENERATE = {
    "alone": torch.eye(N),
    "complete": torch.ones(N, N) - torch.eye(N),
    "pairs": torch.block_diag(*[torch.tensor([[0.0, 1.0], [1.0, 0.0]])] * 9, torch.ones(1, 1)),
    "ring": torch.roll(torch.eye(N), 1, 0) + torch.roll(torch.eye(N), -1, 0),
    "equal": adjacency(torch.ones(1, PAIRS, 1), N, GraphConfig())[0, 0],
}


@pytest.mark.isa
@pytest.mark.parametrize("name", DEGENERATE)
def test_equal_eigenvalues_are_separated_the_same_way_always(name: str) -> None:
    """A rounding error in the weights must not turn the eigenvectors round."""
    graph = DEGENERATE[name]
    noise = 1e-7 * torch.randn(64, N, N, generator=torch.Generator().manual_seed(0))
    noisy = graph * (1.0 + noise + noise.transpose(-1, -2))
    vectors = laplacian_pe(graph, 16, "index")
    torch.testing.assert_close(laplacian_pe(noisy, 16, "index"), vectors.expand(64, N, 16), rtol=0, atol=0.02)


@pytest.mark.isa
def test_eigenvectors_depend_on_neither_batch_nor_threads() -> None:
    graph = torch.stack([*DEGENERATE.values(), *adjacency(random_weights(8, steps=40), N, GraphConfig())[0]])
    together = laplacian_pe(graph, 16, "index")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        assert torch.equal(laplacian_pe(graph, 16, "index"), together)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.stack([laplacian_pe(one, 16, "index") for one in graph]), together)


def test_eigenvectors_carry_no_gradient() -> None:
    weights = random_weights(2).requires_grad_()
    graph = adjacency(weights, N, dataclasses.replace(GraphConfig(), top_k=2))
    assert graph.requires_grad
    assert not laplacian_pe(graph, 4, "index").requires_grad


FADE = GraphConfig(ties="fade")
STEP = 1e-5

LEVEL = {
    "random": random_weights(0, steps=40).double(),
    "large": 6.0 + random_weights(2, steps=40).double(),
    "on a grid": random_weights(1, steps=40).double(),
    "few edges": random_weights(3, steps=40, low=0.9).double(),
    "all equal": torch.ones(2, PAIRS, 40, dtype=torch.float64),
    "none": torch.zeros(2, PAIRS, 40, dtype=torch.float64),
    "at the threshold": torch.full((2, PAIRS, 40), FADE.threshold, dtype=torch.float64),
}


def moved(weights: Tensor, seed: int) -> Tensor:
    """Return the weights off by up to a step each, as rounding does."""
    by = torch.rand(weights.shape, generator=torch.Generator().manual_seed(seed), dtype=weights.dtype)
    return (weights + STEP * (2.0 * by - 1.0)).clamp(min=0.0)


@pytest.mark.parametrize("name", LEVEL)
@pytest.mark.parametrize("top_k", [1, 3, 18])
def test_a_faded_graph_moves_no_further_than_twice_its_weights(name: str, top_k: int) -> None:
    config = dataclasses.replace(FADE, top_k=top_k)
    before = adjacency(LEVEL[name], N, config)
    off = (adjacency(moved(LEVEL[name], 5), N, config) - before).abs()
    loops = off.diagonal(dim1=-2, dim2=-1)
    assert float((off - torch.diag_embed(loops)).max()) <= 2.0 * STEP * (1 + 1e-9)
    assert float(loops.max()) <= 2.0 * STEP * (N - 1)
    assert bool((before.sum(-1) >= 1.0 - 1e-12).all())


@pytest.mark.isa
@pytest.mark.parametrize("name", LEVEL)
def test_faded_eigenvectors_do_not_jump(name: str) -> None:
    before, after = (laplacian_pe(adjacency(w, N, FADE), 16, "fade") for w in (LEVEL[name], moved(LEVEL[name], 6)))
    assert float((before - after).abs().max()) < 0.1  # a vector that turns round moves by 2 to 8


def test_the_hard_choice_jumps_where_the_faded_one_does_not() -> None:
    """From one graph to another in small steps: what is chosen by order or index has to jump on the way."""
    share = torch.linspace(0.0, 1.0, 4001, dtype=torch.float64)
    weights = random_weights(0, batch=1, steps=1).double() * (1 - share) + random_weights(2, batch=1, steps=1) * share
    largest = {}
    for ties in ("index", "fade"):
        graph = adjacency(weights, N, dataclasses.replace(FADE, ties=ties))  # type: ignore[arg-type]
        vectors = laplacian_pe(graph, 16, ties)  # type: ignore[arg-type]
        largest[ties] = [float(x.diff(dim=1).abs().max()) for x in (graph, vectors)]
    assert largest["fade"][0] < 0.01 < 0.5 < largest["index"][0]
    assert largest["fade"][1] < 0.5 < 2.0 < largest["index"][1]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), low=st.sampled_from([0.0, 0.5, 0.9, 1.1]), top_k=st.integers(1, 18))
def test_a_faded_edge_counts_by_what_it_has_above_the_rest(seed: int, low: float, top_k: int) -> None:
    weights = random_weights(seed, low=low)
    graph = adjacency(weights, N, dataclasses.replace(FADE, top_k=top_k))
    assert torch.equal(graph, graph.transpose(-1, -2))
    full = dense(weights)
    rest = torch.cat((full.sort(dim=-1, descending=True).values, torch.zeros(2, 3, N, 1)), dim=-1)[..., top_k]
    rest = rest.clamp(min=FADE.threshold)
    lower = torch.minimum(rest.unsqueeze(-1), rest.unsqueeze(-2))
    expected = (full - lower).clamp(min=0.0)
    loops = (1.0 - expected.sum(-1)).clamp(min=0.0)
    torch.testing.assert_close(graph, expected + torch.diag_embed(loops))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_faded_graph_knows_no_electrode_by_name(seed: int) -> None:
    graph = adjacency(random_weights(seed), N, FADE)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(seed))
    rows, columns = pair_indices(N)
    swapped = dense(random_weights(seed))[..., order, :][..., order]
    again = adjacency(swapped[..., rows, columns].transpose(1, 2), N, FADE)
    torch.testing.assert_close(again, graph[..., order, :][..., order])
    vectors = laplacian_pe(graph, 16, "fade")
    torch.testing.assert_close(laplacian_pe(again, 16, "fade"), vectors[..., order, :], rtol=0, atol=5e-3)


@pytest.mark.parametrize("name", ["all equal", "none", "at the threshold"])
def test_equal_electrodes_stand_alone_and_nowhere(name: str) -> None:
    graph = adjacency(LEVEL[name], N, FADE)
    assert torch.equal(graph, torch.eye(N, dtype=torch.float64).expand_as(graph))
    assert float(laplacian_pe(graph, 16, "fade").abs().max()) < 1e-3


@pytest.mark.isa
@pytest.mark.parametrize("name", DEGENERATE)
def test_faded_vectors_are_those_of_the_laplacian_where_they_are_clear(name: str) -> None:
    """Whatever basis the decomposition takes in a plane of equal eigenvalues, nothing of it is left."""
    graph = DEGENERATE[name]
    scale = graph.double().sum(-1).rsqrt()
    values, vectors = torch.linalg.eigh(torch.eye(N) - scale.unsqueeze(-1) * graph * scale)
    for k, found in enumerate(laplacian_pe(graph, 16, "fade").double().T):
        gap = min(abs(float(values[k] - other)) for i, other in enumerate(values) if i != k)
        excess = float(vectors[:, k].max() + vectors[:, k].min())
        size = min(1.0, gap / 0.05) * max(-1.0, min(1.0, excess / 0.05))
        torch.testing.assert_close(found, vectors[:, k] * size * N**0.5, rtol=0, atol=0.01)


def test_gradients_of_a_faded_graph_are_the_true_ones() -> None:
    weights = (3.0 * random_weights(4, batch=1, steps=1).double()).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: normalised(adjacency(w, N, FADE)), weights)


@pytest.mark.isa
def test_faded_eigenvectors_depend_on_neither_batch_nor_threads() -> None:
    graph = torch.stack([*DEGENERATE.values(), *adjacency(random_weights(8, steps=40), N, FADE)[0]])
    together = laplacian_pe(graph, 16, "fade")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        assert torch.equal(laplacian_pe(graph, 16, "fade"), together)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.stack([laplacian_pe(one, 16, "fade") for one in graph]), together)
