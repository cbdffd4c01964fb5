"""The window without its global tokens: forward and backward over runs of blocks.

Keys and values are never copied: a run reads them through a view in which block after
block begins `size` places later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.blocks import Band, Run, runs
from longctx_edu.attention.dropping import Dropping
from longctx_edu.attention.tile import attend_tile, tile_gradients

# Numbers that the keys of a run fill, counted as often as they are read: on a CPU so
# many that a run's gradients stay near the processor.
_CPU_RUN, _RUN = 2**22, 2**26


@dataclass(frozen=True)
class BandAttention:
    """Window attention over one stream of tokens, a head of keys for each of queries.

    Args:
        band: The window and its blocks.
        keep: True where a token is real.
        scale: Factor on the scores.
        dropping: Which weights are dropped; None for none.
    """

    band: Band
    keep: Bool[Tensor, "batch place"] | None
    scale: float
    dropping: Dropping | None

    def forward(
        self,
        q: Float[Tensor, "batch head place d_head"],
        out: Float[Tensor, "batch head place d_value"],
        lse: Float[Tensor, "batch head place 1"],
        k: Float[Tensor, "batch head place d_head"],
        v: Float[Tensor, "batch head place d_value"],
    ) -> None:
        """Write the output and the log-sum-exp of each row that sees something.

        Args:
            q: What each token asks for.
            out: Written in place.
            lse: Written in place.
            k: What each token offers.
            v: What each token gives.
        """
        for run in self._runs(k):
            tile = run.queries(q), run.keys(k), run.keys(v)
            some, some_lse = attend_tile(*tile, **self._options(run, tile))
            run.queries(out).copy_(some)
            run.queries(lse).copy_(some_lse.unsqueeze(-1))

    def backward(
        self,
        rows: Sequence[Tensor],
        inputs: Sequence[Tensor],
        sums: Sequence[Tensor],
    ) -> None:
        """Add the gradients of q, k and v to `sums`.

        Args:
            rows: The gradient of the output, the whole rows' output, and their
                log-sum-exp, where +inf leaves a row out.
            inputs: q, k and v.
            sums: Changed in place.
        """
        for run in self._runs(inputs[1]):
            grad, out, lse = (run.queries(x) for x in rows)
            tile = run.queries(inputs[0]), *(run.keys(x) for x in inputs[1:])
            parts = tile_gradients(
                grad, out, lse.squeeze(-1), *tile, **self._options(run, tile)
            )
            run.queries(sums[0]).add_(parts[0])
            run.add_to_keys(sums[1], parts[1])
            run.add_to_keys(sums[2], parts[2])

    def _runs(self, k) -> Iterator[Run]:
        most = _CPU_RUN if k.device.type == "cpu" else _RUN
        width = self.band.size + self.band.left + self.band.right
        longest = most // max(1, k.shape[0] * k.shape[1] * width * k.shape[3])
        return runs(self.band, self.keep, longest=max(1, longest), device=k.device)

    def _options(self, run, tile):
        options = {"mask": run.mask, "scale": self.scale}
        if self.dropping is not None:
            shape = (*tile[0].shape[:3], tile[1].shape[2])
            options["factors"] = self.dropping.factors(shape, tile[0], run.first)
        return options
