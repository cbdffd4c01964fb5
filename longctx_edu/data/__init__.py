"""Texts with entities: the Gazette, readers for real files, the catalogue."""
