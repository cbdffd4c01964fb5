"""Build long-context Transformers from nothing.

`import longctx_edu` imports nothing heavy: take what you need from its parts,
`from longctx_edu.attention import window_attention`.
"""

__version__ = "0.4.0"
