"""What models read: texts with entities, any text for language modelling, recall tasks.

The Gazette, readers for real files and the catalogue stand here; tokens and windows of
a text in `language`, sequences with questions about what came before in `recall`.
"""
